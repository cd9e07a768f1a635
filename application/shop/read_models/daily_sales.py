"""Sales of each day, country and currency. Key: ``2011-12-09/France/GBP``.

A return counts on the day of the sale, however much later it comes: the day's ``net`` is what that
day's orders are worth in the end. So does a cancellation. A view has a constant size: figures only.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from decimal import Decimal

from application.messages import RecordedEvent
from application.projections.projection import Change, Parts, Projection, View
from application.shop.aggregates import ORDER
from application.shop.read_models.sold_order import SoldOrder, evolve_sold
from domain.values import Currency, Money

UNKNOWN = "unknown"  # the country of an order that names none


class DailySales(View):
    day: date  # in UTC
    country: str
    currency: Currency
    orders: int = 0  # cancelled ones too
    units: int = 0
    gross: Money
    returned_units: int = 0
    returned: Money
    cancelled_orders: int = 0
    cancelled: Money
    net: Money  # gross without what was returned or cancelled


def _keys(recorded: RecordedEvent) -> Collection[str]:
    return (recorded.stream_id,)


def _views(order: SoldOrder) -> Collection[str]:
    return (f"{order.day}/{order.country or UNKNOWN}/{order.currency}",)


def _gather(
    _: str, sales: DailySales | None, changes: Sequence[Change[SoldOrder]]
) -> DailySales | None:
    counted = [
        (times, order)
        for change in changes
        for times, order in zip((-1, +1), change, strict=True)
        if order is not None
    ]
    return _added(sales or _none_yet(counted[0][1]), counted)


def _none_yet(order: SoldOrder) -> DailySales:
    nothing = Money.zero(order.currency)
    return DailySales(
        day=order.day,
        country=order.country or UNKNOWN,
        currency=order.currency,
        gross=nothing,
        returned=nothing,
        cancelled=nothing,
        net=nothing,
    )


def _added(sales: DailySales, counted: Sequence[tuple[int, SoldOrder]]) -> DailySales:
    """With each of these orders, so many times: -1 as it was, +1 as it is."""
    cancelled = [(times, order) for times, order in counted if order.cancelled]
    gross = _sum((times, order.gross) for times, order in counted)
    returned = _sum((times, order.returned) for times, order in counted)
    lost = _sum((times, order.gross) for times, order in cancelled)
    amounts = {
        "gross": gross,
        "returned": returned,
        "cancelled": lost,
        "net": gross - returned - lost,
    }
    counts = {
        "orders": sum(times for times, _ in counted),
        "units": sum(times * order.units for times, order in counted),
        "returned_units": sum(times * order.returned_units for times, order in counted),
        "cancelled_orders": sum(times for times, _ in cancelled),
    }
    return sales.model_copy(
        update={name: getattr(sales, name) + more for name, more in counts.items()}
        | {
            name: getattr(sales, name) + Money(amount=more, currency=sales.currency)
            for name, more in amounts.items()
        }
    )


def _sum(amounts: Iterable[tuple[int, Money]]) -> Decimal:
    return sum((times * money.amount for times, money in amounts), Decimal(0))


daily_sales = Projection(
    name="daily_sales",
    version=2,  # of an order, the prices of its lines are kept, and no more
    view=DailySales,
    follows=(ORDER,),
    parts=Parts(part=SoldOrder, keys=_keys, evolve=evolve_sold, views=_views, gather=_gather),
    indexed=("country",),
    summed=("orders", "units", "gross", "returned_units", "returned", "net"),
)
