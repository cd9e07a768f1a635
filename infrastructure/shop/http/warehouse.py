"""The warehouse over HTTP: the pick list, and what is recorded of parcels."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from application.access import AUDITOR
from application.ports import ProviderUnavailable
from application.shop import warehouse
from application.shop.access import CLERK, WAREHOUSE
from application.shop.ports import Outside
from application.shop.read_models.order_summary import order_summary
from application.shop.warehouse import Pick, Warehouse
from domain.orders import UnknownOrder
from domain.shipments import DeliverShipment, FailShipment, UnknownShipment
from domain.shop_values import OrderId
from domain.values import Name, Text
from infrastructure.http.access import allowed
from infrastructure.http.commands import COMMAND_ERRORS, Done, Requested
from infrastructure.http.paging import Limit, following
from infrastructure.http.problems import documented
from infrastructure.http.reading import Reading, answers
from infrastructure.http.served import Served
from infrastructure.http.text import Body
from infrastructure.shop.http.orders import Order

router = APIRouter(tags=["warehouse"])

Code = Annotated[Name, Field(examples=["SIM000001"])]


def warehouse_of(service: Served) -> Warehouse:
    """The warehouse of the shop that is served."""
    outside: Outside = service.outside
    return Warehouse(service.dispatch, outside.carrier)


class Picks(BaseModel):
    """One page of orders to pick, by id."""

    picks: Sequence[Pick]
    next: str | None = Field(description="where the next page is; none: this was the last")


class HandOver(Body):
    tracking_code: Code | None = Field(None, description="none: that of the carrier's booking")


class Delivery(Body):
    tracking_code: Code | None = Field(None, description="of the parcel that has arrived")


class Failure(Body):
    reason: Text = Field(examples=["refused at the door"])
    tracking_code: Code | None = None


@router.get("/warehouse/picks", responses=answers())
@allowed(WAREHOUSE, CLERK, AUDITOR)
async def list_picks(
    request: Request,
    reading: Reading,
    after: Annotated[OrderId | None, Query(description="the last id of the page before")] = None,
    limit: Limit = 50,
) -> Picks:
    """The pick list: confirmed orders with the goods to take off the shelf."""
    views = await reading.of(order_summary)
    page = await warehouse.pick_list(views, after=after, limit=limit)
    return Picks(picks=page.items, next=following(request, page))


@router.post("/orders/{order_id}/dispatch", responses=documented(UnknownOrder, *COMMAND_ERRORS))
@allowed(WAREHOUSE)
async def dispatch_order(id: Order, request: Requested, response: Response) -> Done:
    """Record that the goods have left the shelf. The order cannot be cancelled after that."""
    work = warehouse_of(request.service)
    return await request.answer(
        id, lambda: work.send(id, request.context, request.expected_version), response
    )


@router.post(
    "/shipments/{order_id}/hand-over",
    responses=documented(UnknownShipment, ProviderUnavailable, *COMMAND_ERRORS),
)
@allowed(WAREHOUSE)
async def hand_over(id: Order, body: HandOver, request: Requested, response: Response) -> Done:
    """Record that the carrier has the parcel, and the dispatch of its goods if that is missing."""
    work, code = warehouse_of(request.service), body.tracking_code
    return await request.answer(id, lambda: work.hand_over(id, code, request.context), response)


@router.post(
    "/shipments/{order_id}/delivery", responses=documented(UnknownShipment, *COMMAND_ERRORS)
)
@allowed(WAREHOUSE)
async def deliver(id: Order, body: Delivery, request: Requested, response: Response) -> Done:
    """Record that the parcel has arrived. The carrier itself uses ``/carrier/notices``."""
    return await request.carry_out(id, DeliverShipment(tracking_code=body.tracking_code), response)


@router.post(
    "/shipments/{order_id}/failure", responses=documented(UnknownShipment, *COMMAND_ERRORS)
)
@allowed(WAREHOUSE)
async def fail(id: Order, body: Failure, request: Requested, response: Response) -> Done:
    """Record that the parcel will not arrive: lost, refused, sent back."""
    return await request.carry_out(id, FailShipment(**dict(body)), response)
