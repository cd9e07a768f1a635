"""Orders in the order of their placing, newest first, to be listed. As large as a row of a table.

Keys of a read model ascend. So a key begins with the time that is left until the year 10000, and
the newest order has the smallest: ``251841221999999999/581587``.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from pydantic import AwareDatetime

from application.messages import RecordedEvent
from application.projections.projection import Change, Parts, Projection, View
from application.shop.aggregates import ORDER
from application.shop.read_models.known_of_order import status_after
from domain.orders import LinesReturned, OrderEvent, OrderPlaced, OrderStatus
from domain.shop_values import CustomerId, OrderId
from domain.values import Currency, Money

UNKNOWN: Final = "unknown"  # the country of an order that names none
_END: Final = datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class ListedOrder(View):
    order_id: OrderId
    placed_at: AwareDatetime
    status: OrderStatus
    customer_id: CustomerId | None
    country: str
    currency: Currency
    units: int
    total: Money  # as ordered
    returned_units: int = 0


def key_of(placed_at: datetime, order_id: str = "") -> str:
    """The key of an order; without an id, what comes before all orders of that moment."""
    return f"{(_END - placed_at) // _MICROSECOND:018d}/{order_id}"


def _keys(recorded: RecordedEvent) -> Collection[str]:
    return (recorded.stream_id,)


def _views(order: ListedOrder) -> Collection[str]:
    return (key_of(order.placed_at, order.order_id),)


def _evolve(order: ListedOrder | None, recorded: RecordedEvent) -> ListedOrder:
    event = cast("OrderEvent", recorded.event)  # the filter lets nothing else through
    if isinstance(event, OrderPlaced):
        return _placed(event, recorded)
    if order is None:
        raise LookupError(f"{recorded.type} of order {recorded.stream_id}, which was never placed")
    if isinstance(event, LinesReturned):
        back = order.returned_units + sum([line.quantity for line in event.lines])
        return order.model_copy(update={"returned_units": back})
    status = status_after(event)
    return order if status is None else order.model_copy(update={"status": status})


def _placed(event: OrderPlaced, recorded: RecordedEvent) -> ListedOrder:
    currency = event.lines[0].unit_price.currency
    total = sum((line.unit_price * line.quantity for line in event.lines), Money.zero(currency))
    return ListedOrder(
        order_id=recorded.stream_id,
        placed_at=recorded.occurred_at,
        status=OrderStatus.PLACED,
        customer_id=event.customer_id,
        country=event.country or UNKNOWN,
        currency=currency,
        units=sum([line.quantity for line in event.lines]),
        total=total,
    )


def _gather(
    _: str, __: ListedOrder | None, changes: Sequence[Change[ListedOrder]]
) -> ListedOrder | None:
    return changes[-1].after


orders_by_date = Projection(
    name="orders_by_date",
    version=1,
    view=ListedOrder,
    follows=(ORDER,),
    parts=Parts(part=ListedOrder, keys=_keys, evolve=_evolve, views=_views, gather=_gather),
    indexed=("status", "country", "customer_id"),
    summed=("units", "total"),
)
