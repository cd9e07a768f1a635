"""Orders over HTTP: placing, reading, cancelling, returning goods."""

import re
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import uuid5

from fastapi import APIRouter, Path, Query, Request, Response, status
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from application.access import AUDITOR
from application.ports import StoreUnavailable
from application.sagas import queries as saga_queries
from application.sagas.lookup import SagaName
from application.sagas.operating import UnknownSaga
from application.shop import queries
from application.shop.access import CLERK, CUSTOMER, WAREHOUSE
from application.shop.read_models.order_summary import OrderSummary, order_summary
from application.shop.sagas.order_fulfilment import order_fulfilment
from application.shop.service import SHOP
from domain.currencies import DECIMALS
from domain.orders import (
    MOST_LINES,
    CancelOrder,
    OrderLine,
    OrderStatus,
    PlaceOrder,
    ReturnedLine,
    ReturnLines,
    UnknownOrder,
)
from domain.shop_values import CustomerId, LineNumber, OrderId, Quantity, Sku
from domain.values import Money, Name, Text
from infrastructure.http.access import Only, allowed
from infrastructure.http.commands import COMMAND_ERRORS, Done, Requested, command_id_of, entity_tag
from infrastructure.http.paging import Limit, following
from infrastructure.http.past import PastEvent, SagaProgress, past_events
from infrastructure.http.problems import documented
from infrastructure.http.reading import Reading, answers
from infrastructure.http.served import Serving
from infrastructure.http.text import Body
from infrastructure.shop.http.own import OwnOrder, require_self

router = APIRouter(prefix="/orders", tags=["orders"])

Order = Annotated[OrderId, Path(alias="order_id", examples=["536365"])]
"""Any order: where only those may ask who see the orders of all."""

# ── what comes in ────────────────────────────────────────────────────────────────────────────────


_PRICE = r"^[0-9]{1,18}(\.[0-9]{1,6})? [A-Z]{3}$"


def _price(value: Any) -> Money:
    if not isinstance(value, str) or not re.fullmatch(_PRICE, value):
        raise ValueError("write a price as text, at most 6 decimals and the currency: '2.55 GBP'")
    price = Money.parse(value)
    if price.currency not in DECIMALS:
        raise ValueError(
            f"there is no currency {price.currency}: write its code of ISO 4217, 'GBP'"
        )
    return price


Price = Annotated[
    Money,
    BeforeValidator(_price),
    WithJsonSchema({"type": "string", "pattern": _PRICE}),
]


class NewLine(Body):
    sku: Sku = Field(examples=["85123A"])
    description: Text | None = Field(None, examples=["WHITE HANGING HEART T-LIGHT HOLDER"])
    quantity: Quantity = Field(examples=[6])
    unit_price: Price = Field(examples=["2.55 GBP"])


class NewOrder(Body):
    customer_id: CustomerId | None = Field(None, description="none: a guest", examples=["17850"])
    country: Text | None = Field(None, examples=["United Kingdom"])
    recipient: Name | None = Field(None, description="who gets it", examples=["Ada Lovelace"])
    address: Text | None = Field(None, examples=["12 St James's Square, London SW1Y 4JH"])
    lines: list[NewLine] = Field(min_length=1, max_length=MOST_LINES)

    def command(self, customer_id: CustomerId | None) -> PlaceOrder:
        """Place it for this customer, or for a guest."""
        lines = tuple(OrderLine(**vars(line)) for line in self.lines)
        return PlaceOrder(**{**vars(self), "customer_id": customer_id, "lines": lines})


class Cancellation(Body):
    reason: Text = Field(examples=["the customer changed their mind"])


class LineBack(Body):
    line: LineNumber = Field(description="its place in the order, from 1", examples=[1])
    quantity: Quantity = Field(examples=[1])


class Return(Body):
    lines: list[LineBack] = Field(min_length=1, max_length=MOST_LINES)


# ── what goes out ────────────────────────────────────────────────────────────────────────────────


class Orders(BaseModel):
    """One page of orders, by id."""

    orders: Sequence[OrderSummary]
    next: str | None = Field(description="where the next page is; none: this was the last")


class Fulfilment(SagaProgress):
    """The status of a saga of the shop, and each of its steps."""

    saga_id: str = Field(description="the id of the order, or of the exchange")


class History(BaseModel):
    """The events of an order, oldest first."""

    order_id: OrderId
    events: Sequence[PastEvent]


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


def order_placed_with(key: str) -> str:
    """The id of the order that a request with that Idempotency-Key places."""
    return str(uuid5(command_id_of("POST", "/orders", key), "order"))


@router.post("", status_code=status.HTTP_201_CREATED, responses=documented(*COMMAND_ERRORS))
@allowed(CLERK, own=[CUSTOMER])
async def place_order(body: NewOrder, request: Requested, response: Response) -> Done:
    """Place an order. The service makes its id; ``Location`` is its address."""
    id = request.make_id("order")
    order = body.command(require_self(body.customer_id, request.only))
    done = await request.carry_out(id, order, response, new=True)
    response.headers["Location"] = f"/orders/{id}"
    return done


@router.post("/{order_id}/cancellation", responses=documented(UnknownOrder, *COMMAND_ERRORS))
@allowed(CLERK, own=[CUSTOMER])
async def cancel_order(
    id: OwnOrder, body: Cancellation, request: Requested, response: Response
) -> Done:
    """Cancel an order before its goods leave."""
    return await request.carry_out(id, CancelOrder(reason=body.reason), response)


@router.post("/{order_id}/returns", responses=documented(UnknownOrder, *COMMAND_ERRORS))
@allowed(CLERK, own=[CUSTOMER])
async def return_lines(id: OwnOrder, body: Return, request: Requested, response: Response) -> Done:
    """Return goods of one line or several, at most as many as were ordered."""
    lines = tuple(ReturnedLine(**dict(line)) for line in body.lines)
    command = ReturnLines(return_id=request.make_id("return"), lines=lines)
    return await request.carry_out(id, command, response)


# ── questions ────────────────────────────────────────────────────────────────────────────────────


@router.get(
    "",
    responses=answers(),
    response_model_exclude={"orders": {"__all__": set(order_summary.detail)}},
)
@allowed(CLERK, WAREHOUSE, AUDITOR, own=[CUSTOMER])
async def list_orders(
    request: Request,
    reading: Reading,
    only: Only,
    customer_id: CustomerId | None = None,
    status: OrderStatus | None = None,
    after: Annotated[OrderId | None, Query(description="the last id of the page before")] = None,
    limit: Limit = 50,
) -> Orders:
    """Orders by id, without their lines, page by page; ``next`` is the next page."""
    views = await reading.of(order_summary)
    page = await queries.orders(
        views,
        customer_id=require_self(customer_id, only),
        status=status,
        after=after,
        limit=limit,
    )
    return Orders(orders=page.items, next=following(request, page))


@router.get("/{order_id}", responses=answers(UnknownOrder))
@allowed(CLERK, WAREHOUSE, AUDITOR, own=[CUSTOMER])
async def get_order(id: OwnOrder, reading: Reading, response: Response) -> OrderSummary:
    """One order as the read model has it; ``ETag`` is the version to send as ``If-Match``."""
    order = reading.found(
        await queries.order(await reading.of(order_summary), id),
        UnknownOrder(f"there is no order {id}"),
    )
    response.headers["ETag"] = entity_tag(order.version)
    return order


@router.get("/{order_id}/history", responses=documented(UnknownOrder, StoreUnavailable))
@allowed(CLERK, AUDITOR, own=[CUSTOMER])
async def get_history(id: OwnOrder, service: Serving) -> History:
    """The events of an order, from its stream, with their metadata."""
    events = await past_events(queries.order_history(service.event_store, id))
    if not events:
        raise UnknownOrder(f"there is no order {id}")
    return History(order_id=id, events=events)


@router.get("/{order_id}/fulfilment", responses=answers(UnknownSaga))
@allowed(CLERK, WAREHOUSE, AUDITOR, own=[CUSTOMER])
async def get_fulfilment(id: OwnOrder, reading: Reading) -> Fulfilment:
    """The saga that fulfils an order: its status, and a timeline of its steps."""
    saga = reading.found(
        await saga_queries.saga(
            await reading.of(SHOP.standings), SagaName(order_fulfilment.name, id)
        ),
        UnknownSaga(f"nothing fulfils an order {id}, or nothing has begun to"),
    )
    return Fulfilment.model_validate(saga, from_attributes=True)
