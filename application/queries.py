"""The questions the service answers, as functions over read models. None folds a stream."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Generic

from application.categories import BY_COMMAND
from application.messages import RecordedEvent
from application.ports import EventStore, V, Views
from application.projections.order_summary import OrderSummary
from application.projections.stock_levels import StockLevel
from domain.orders import PlaceOrder, Status
from domain.values import CustomerId, Money, OrderId, Sku

LARGEST_PAGE = 500


@dataclass(frozen=True)
class Page(Generic[V]):
    """Some of the answers, by key. ``after`` asks for those that follow; ``None``: that was all."""

    items: Sequence[V]
    after: str | None


async def order(views: Views[OrderSummary], order_id: OrderId) -> OrderSummary | None:
    """The order with its lines, if the read model has heard of it."""
    seen = (await views.load([order_id])).get(order_id)
    return seen.view if seen else None


async def orders(
    views: Views[OrderSummary],
    *,
    customer_id: CustomerId | None = None,
    status: Status | None = None,
    after: OrderId | None = None,
    limit: int = 50,
) -> Page[OrderSummary]:
    """Orders by id, without their lines. ``limit`` is 1 to 500, else ``ValueError``."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"limit is {limit}, it has to be 1 to {LARGEST_PAGE}")
    wanted = {"customer_id": customer_id, "status": status}
    equal = {field: str(value) for field, value in wanted.items() if value is not None}
    found = await views.find(equal=equal, after=after, limit=limit + 1)
    last = found[limit - 1][0] if len(found) > limit else None
    return Page([seen.view for _, seen in found[:limit]], after=last)


@dataclass(frozen=True)
class OrderTotals:
    """All orders in one currency, together."""

    orders: int
    lines: int
    units: int
    total: Money
    returned: Money


async def order_totals(views: Views[OrderSummary]) -> Sequence[OrderTotals]:
    """What all orders come to, exactly, for each currency in alphabetical order."""
    fields = ("line_count", "units", "total", "returned_total")
    sums = await views.sums(fields, by="currency")
    return [
        OrderTotals(
            orders=of.views,
            lines=int(of.fields["line_count"]),
            units=int(of.fields["units"]),
            total=Money(amount=of.fields["total"], currency=currency),
            returned=Money(amount=of.fields["returned_total"], currency=currency),
        )
        for currency, of in sorted(sums.items())
    ]


def order_history(store: EventStore, order_id: OrderId) -> AsyncIterator[RecordedEvent]:
    """All that happened to the order, oldest first, with its metadata; nothing if unknown."""
    return store.read(BY_COMMAND[PlaceOrder].stream(order_id))


async def stock_level(views: Views[StockLevel], sku: Sku) -> StockLevel | None:
    """What there is of the SKU, if the read model has heard of it."""
    seen = (await views.load([sku])).get(sku)
    return seen.view if seen else None
