"""Sales of each day, country and currency. Key: ``2011-12-09/France/GBP``.

A return counts on the day of the sale, however much later it comes: the day's ``net`` is what that
day's orders are worth in the end. So does a cancellation.
"""

from collections.abc import Collection, Sequence
from datetime import date

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
    for before, after in changes:
        if before is not None and sales is not None:
            sales = _added(sales, before, -1)
        if after is not None:
            sales = _added(sales or _none_yet(after), after, +1)
    return sales


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


def _added(sales: DailySales, order: SoldOrder, times: int) -> DailySales:
    cancelled = order.gross if order.cancelled else Money.zero(order.currency)
    net = order.gross - order.returned - cancelled
    return sales.model_copy(
        update={
            "orders": sales.orders + times,
            "units": sales.units + times * order.units,
            "gross": sales.gross + order.gross * times,
            "returned_units": sales.returned_units + times * order.returned_units,
            "returned": sales.returned + order.returned * times,
            "cancelled_orders": sales.cancelled_orders + times * order.cancelled,
            "cancelled": sales.cancelled + cancelled * times,
            "net": sales.net + net * times,
        }
    )


daily_sales = Projection(
    name="daily_sales",
    version=2,  # of an order, the prices of its lines are kept, and no more
    view=DailySales,
    follows=(ORDER,),
    parts=Parts(part=SoldOrder, keys=_keys, evolve=evolve_sold, views=_views, gather=_gather),
    indexed=("country",),
    summed=("orders", "units", "gross", "returned_units", "returned", "net"),
)
