"""What sales are made of: an order with its lines, and what came back.

A part of several read models. Each keeps its own; this is only how it is folded.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import assert_never, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict

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
    OrderLine,
    OrderPlaced,
    OrderShipped,
    OrderStatus,
)
from domain.shop_values import CustomerId, OrderId
from domain.values import Currency, Money, Text


class SoldLine(BaseModel):
    """A line of an order, and how many of its units came back."""

    model_config = ConfigDict(frozen=True)

    sku: str
    description: str | None
    quantity: int
    unit_price: Money
    returned: int = 0


class SoldOrder(View):
    order_id: OrderId
    customer_id: CustomerId | None
    country: Text | None
    placed_at: AwareDatetime
    status: OrderStatus
    currency: Currency
    lines: tuple[SoldLine, ...]

    @property
    def day(self) -> date:
        """When it was placed, in UTC."""
        return self.placed_at.date()

    @cached_property
    def units(self) -> int:
        return sum(line.quantity for line in self.lines)

    @cached_property
    def gross(self) -> Money:
        return worth(((line.unit_price, line.quantity) for line in self.lines), self.currency)

    @cached_property
    def returned_units(self) -> int:
        return sum(line.returned for line in self.lines)

    @cached_property
    def returned(self) -> Money:
        return worth(((line.unit_price, line.returned) for line in self.lines), self.currency)

    @property
    def cancelled(self) -> bool:
        return self.status is OrderStatus.CANCELLED

    @cached_property
    def by_sku(self) -> dict[str, tuple[SoldLine, ...]]:
        """The lines of each SKU."""
        found: dict[str, tuple[SoldLine, ...]] = {}
        for line in self.lines:
            found[line.sku] = (*found.get(line.sku, ()), line)
        return found


def evolve_sold(order: SoldOrder | None, recorded: RecordedEvent) -> SoldOrder | None:
    """The order after one of its events. Raises ``LookupError`` for one that was never placed."""
    event = cast("OrderEvent", recorded.event)  # of an order's stream
    if isinstance(event, OrderPlaced):
        return _placed(event, recorded)
    if order is None:
        raise LookupError(f"{recorded.type} of order {recorded.stream_id}, which was never placed")
    match event:
        case OrderConfirmed():
            return _with(order, status=OrderStatus.CONFIRMED)
        case OrderShipped():
            return _with(order, status=OrderStatus.SHIPPED)
        case OrderDelivered():
            return _with(order, status=OrderStatus.DELIVERED)
        case OrderCancelled():
            return _with(order, status=OrderStatus.CANCELLED)
        case LinesReturned():
            return _returned(order, event)
        case LinesClaimed() | LinesFreed():
            return order  # what is exchanged stays sold, at its price
        case _:
            assert_never(event)


def worth(priced: Iterable[tuple[Money, int]], currency: Currency) -> Money:
    """The exact sum of prices times units."""
    amount = sum((price.amount * units for price, units in priced), Decimal(0))
    return Money(amount=amount, currency=currency)


def by_currency(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """One sum for each currency, in alphabetical order."""
    sums: dict[str, Money] = {}
    for money in amounts:
        known = sums.get(money.currency)
        sums[money.currency] = money if known is None else known + money
    return tuple(sums[currency] for currency in sorted(sums))


def _placed(event: OrderPlaced, recorded: RecordedEvent) -> SoldOrder:
    return SoldOrder(
        order_id=recorded.stream_id,
        customer_id=event.customer_id,
        country=event.country,
        placed_at=recorded.metadata.occurred_at,
        status=OrderStatus.PLACED,
        currency=event.lines[0].unit_price.currency,
        lines=tuple(map(_line, event.lines)),
    )


def _line(line: OrderLine) -> SoldLine:
    return SoldLine(
        sku=line.sku,
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price,
    )


def _returned(order: SoldOrder, event: LinesReturned) -> SoldOrder:
    units: Counter[int] = Counter()
    for line in event.lines:
        units[line.line] += line.quantity
    lines = [
        line.model_copy(update={"returned": line.returned + units[number]})
        for number, line in enumerate(order.lines, start=1)
    ]
    return _with(order, lines=tuple(lines))


def _with(order: SoldOrder, **changes: object) -> SoldOrder:
    """Made anew, since a copy would take along what was worked out of the old one."""
    return SoldOrder.model_construct(**{**dict(order), **changes})
