"""Exchanges over HTTP: requesting and following them, and the warehouse's part."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response, status
from pydantic import BaseModel, Field

from application.access import AUDITOR
from application.ports import ProviderUnavailable
from application.sagas import queries as saga_queries
from application.sagas.lookup import SagaName
from application.shop import queries
from application.shop.access import CLERK, CUSTOMER, WAREHOUSE
from application.shop.exchanges import request_exchange
from application.shop.read_models.exchanges import ExchangeSummary, exchanges
from application.shop.sagas.goods_exchange import goods_exchange
from application.shop.service import SHOP
from domain.exchanges import (
    MOST_LINES,
    CloseExchange,
    ExchangeStatus,
    ReceiveGoods,
    Replacement,
    SendReplacement,
    UnknownExchange,
)
from domain.orders import ReturnedLine, UnknownOrder
from domain.shipments import UnknownShipment
from domain.shop_values import ExchangeId
from infrastructure.http.access import allowed
from infrastructure.http.commands import COMMAND_ERRORS, Done, Requested, entity_tag
from infrastructure.http.paging import Limit, following
from infrastructure.http.problems import documented
from infrastructure.http.reading import Reading, answers
from infrastructure.http.text import Body
from infrastructure.shop.http.orders import (
    Cancellation,
    Fulfilment,
    LineBack,
    NewLine,
)
from infrastructure.shop.http.own import OwnExchange, OwnOrder
from infrastructure.shop.http.warehouse import HandOver, warehouse_of

router = APIRouter(tags=["exchanges"])

Exchange = Annotated[ExchangeId, Path(alias="exchange_id")]
ERRORS = documented(UnknownExchange, *COMMAND_ERRORS)

# ── what comes in, what goes out ─────────────────────────────────────────────────────────────────


class NewExchange(Body):
    lines: list[LineBack] = Field(
        description="of the order, to be sent back", min_length=1, max_length=MOST_LINES
    )
    replacements: list[NewLine] = Field(
        description="what comes for them", min_length=1, max_length=MOST_LINES
    )


class Exchanges(BaseModel):
    """One page of exchanges, the newest request first."""

    exchanges: Sequence[ExchangeSummary]
    next: str | None = Field(description="where the next page is; none: this was the last")


class ExchangeInDetail(ExchangeSummary):
    """An exchange with its goods, and how its saga stands."""

    progress: Fulfilment | None = Field(description="the saga that carries it out; none: not yet")


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


@router.post(
    "/orders/{order_id}/exchanges",
    status_code=status.HTTP_201_CREATED,
    responses=documented(UnknownOrder, *COMMAND_ERRORS),
)
@allowed(CLERK, own=[CUSTOMER])
async def request(id: OwnOrder, body: NewExchange, request: Requested, response: Response) -> Done:
    """Exchange goods of an order for other goods. ``Location`` is the address of the exchange.

    The goods are returned at the price that was paid. The difference is charged or refunded once
    they have arrived. They have to arrive within 14 days, else the exchange is closed.
    """
    exchange_id = request.make_id("exchange")
    done = await request.answer(
        exchange_id,
        lambda: request_exchange(
            request.service.event_store,
            request.service.dispatch,
            order_id=id,
            exchange_id=exchange_id,
            lines=tuple(ReturnedLine(**dict(line)) for line in body.lines),
            replacements=tuple(Replacement(**dict(line)) for line in body.replacements),
            context=request.context,
        ),
        response,
    )
    response.headers["Location"] = f"/exchanges/{exchange_id}"
    return done


@router.post("/exchanges/{exchange_id}/goods", responses=ERRORS)
@allowed(WAREHOUSE)
async def receive_goods(id: Exchange, request: Requested, response: Response) -> Done:
    """Record that the customer's goods have arrived."""
    return await request.carry_out(id, ReceiveGoods(), response)


@router.post("/exchanges/{exchange_id}/dispatch", responses=ERRORS)
@allowed(WAREHOUSE)
async def dispatch(id: Exchange, request: Requested, response: Response) -> Done:
    """Record that the replacement has left. The exchange cannot be cancelled after that."""
    return await request.carry_out(id, SendReplacement(), response)


@router.post(
    "/exchanges/{exchange_id}/hand-over",
    responses=documented(UnknownExchange, UnknownShipment, ProviderUnavailable, *COMMAND_ERRORS),
)
@allowed(WAREHOUSE)
async def hand_over(id: Exchange, body: HandOver, request: Requested, response: Response) -> Done:
    """Record that the carrier has the replacement, and its dispatch if that is missing."""
    work, code = warehouse_of(request.service), body.tracking_code
    return await request.answer(
        id, lambda: work.hand_over_replacement(id, code, request.context), response
    )


@router.post("/exchanges/{exchange_id}/cancellation", responses=ERRORS)
@allowed(CLERK, own=[CUSTOMER])
async def cancel(
    id: OwnExchange, body: Cancellation, request: Requested, response: Response
) -> Done:
    """Cancel an exchange before its replacement leaves. Goods that have arrived become a return."""
    return await request.carry_out(id, CloseExchange(reason=body.reason), response)


# ── questions ────────────────────────────────────────────────────────────────────────────────────


@router.get(
    "/orders/{order_id}/exchanges",
    responses=answers(),
    response_model_exclude={"exchanges": {"__all__": set(exchanges.detail)}},
)
@allowed(CLERK, WAREHOUSE, AUDITOR, own=[CUSTOMER])
async def list_exchanges(
    request: Request,
    id: OwnOrder,
    reading: Reading,
    status: ExchangeStatus | None = None,
    after: Annotated[ExchangeId | None, Query(description="the last of the page before")] = None,
    limit: Limit = 50,
) -> Exchanges:
    """The exchanges of an order, the newest first, without their goods."""
    views = await reading.of(exchanges)
    page = await queries.exchanges(views, order_id=id, status=status, after=after, limit=limit)
    return Exchanges(exchanges=page.items, next=following(request, page))


@router.get("/exchanges/{exchange_id}", responses=answers(UnknownExchange))
@allowed(CLERK, WAREHOUSE, AUDITOR, own=[CUSTOMER])
async def get_exchange(id: OwnExchange, reading: Reading, response: Response) -> ExchangeInDetail:
    """One exchange, with a timeline of its steps; ``ETag`` is what to send as ``If-Match``."""
    name = SagaName(goods_exchange.name, id)
    saga = await saga_queries.saga(await reading.of(SHOP.standings), name)
    exchange = reading.found(
        await queries.exchange(await reading.of(exchanges), id),
        UnknownExchange(f"no exchange {id} is known here"),
    )
    response.headers["ETag"] = entity_tag(exchange.version)
    progress = Fulfilment.model_validate(saga, from_attributes=True) if saga else None
    return ExchangeInDetail(**dict(exchange), progress=progress)
