"""What sales are made of: what an order is worth, and what came back of it.

A part of several read models. Each keeps its own; this is only how it is folded. Of the lines it
keeps the prices, at most ``MOST_LINES`` of them: a return names lines, and is worth their prices.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import assert_never, cast

from pydantic import AwareDatetime

from application.messages import RecordedEvent
from application.projections.projection import View
from domain.orders import (
    LinesClaimed,
    LinesFreed,
    LinesReturned,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderEvent,
    OrderPlaced,
    OrderShipped,
    RecipientNamed,
)
from domain.shop_values import CustomerId, OrderId
from domain.values import Currency, Money, Text


class SoldOrder(View):
    order_id: OrderId
    customer_id: CustomerId | None
    country: Text | None
    placed_at: AwareDatetime
    currency: Currency
    units: int
    gross: Money
    returned_units: int = 0
    returned: Money
    cancelled: bool = False
    prices: tuple[Decimal, ...]  # of a unit, line by line

    @property
    def day(self) -> date:
        """When it was placed, in UTC."""
        return self.placed_at.date()


def evolve_sold(order: SoldOrder | None, recorded: RecordedEvent) -> SoldOrder:
    """The order after one of its events; the same one, if that was not about goods or money.

    Raises ``LookupError`` for an order that was never placed.
    """
    event = cast("OrderEvent", recorded.event)  # of an order's stream
    if isinstance(event, OrderPlaced):
        return _placed(event, recorded)
    if order is None:
        raise LookupError(f"{recorded.type} of order {recorded.stream_id}, which was never placed")
    match event:
        case OrderCancelled():
            return order.model_copy(update={"cancelled": True})
        case LinesReturned():
            return _returned(order, event)
        case RecipientNamed() | OrderConfirmed() | OrderShipped() | OrderDelivered():
            return order
        case LinesClaimed() | LinesFreed():
            return order  # what is exchanged stays sold, at its price
        case _:
            assert_never(event)


def worth(priced: Iterable[tuple[Decimal, int]], currency: Currency) -> Money:
    """The exact sum of prices times units."""
    return Money(amount=sum([price * units for price, units in priced], _NONE), currency=currency)


def by_currency(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """One sum for each currency, in alphabetical order."""
    sums: dict[str, Money] = {}
    for money in amounts:
        known = sums.get(money.currency)
        sums[money.currency] = money if known is None else known + money
    return tuple(sums[currency] for currency in sorted(sums))


def _placed(event: OrderPlaced, recorded: RecordedEvent) -> SoldOrder:
    currency = event.lines[0].unit_price.currency
    prices = tuple([line.unit_price.amount for line in event.lines])
    units = [line.quantity for line in event.lines]
    return SoldOrder(
        order_id=recorded.stream_id,
        customer_id=event.customer_id,
        country=event.country,
        placed_at=recorded.occurred_at,
        currency=currency,
        units=sum(units),
        gross=worth(zip(prices, units, strict=True), currency),
        returned=Money.zero(currency),
        prices=prices,
    )


def _returned(order: SoldOrder, event: LinesReturned) -> SoldOrder:
    known = dict(enumerate(order.prices, start=1))
    back = [(known[one.line], one.quantity) for one in event.lines if one.line in known]
    return order.model_copy(
        update={
            "returned_units": order.returned_units + sum(units for _, units in back),
            "returned": order.returned + worth(back, order.currency),
        }
    )


_NONE = Decimal(0)
