"""Every order with its customer, goods, value and returns. Key: the order id.

As large as the order, which has at most ``MOST_LINES`` lines; nothing that happens to it adds more.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import assert_never, cast

from pydantic import AwareDatetime

from application.messages import RecordedEvent
from application.projections.projection import Projection, View
from application.shop.aggregates import ORDER
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
    OrderStatus,
    RecipientNamed,
    ReturnedLine,
)
from domain.shop_values import CustomerId, OrderId, ShipmentId
from domain.speed import slotted
from domain.values import Currency, Money, Name, Text


@slotted
class SummaryLine:
    """A line of the order, and how many of its units came back."""

    sku: str
    description: str | None
    quantity: int
    unit_price: Money
    returned: int = 0


class OrderSummary(View):
    order_id: OrderId
    version: int  # of the stream: what the next command may be based on
    status: OrderStatus
    customer_id: CustomerId | None
    country: Text | None
    placed_at: AwareDatetime
    updated_at: AwareDatetime
    from_history: bool
    shipment_id: ShipmentId | None = None
    currency: Currency
    line_count: int
    units: int
    total: Money  # as ordered; what came back is not taken off
    returned_units: int
    returned_total: Money
    lines: tuple[SummaryLine, ...] = ()
    recipient: Name | None = None
    address: Text | None = None


_Later = (
    RecipientNamed
    | OrderConfirmed
    | OrderShipped
    | OrderDelivered
    | OrderCancelled
    | LinesReturned
    | LinesClaimed
    | LinesFreed
)


def _keys(recorded: RecordedEvent) -> Collection[str]:
    return (recorded.stream_id,)


def _evolve(order: OrderSummary | None, recorded: RecordedEvent) -> OrderSummary:
    event = cast("OrderEvent", recorded.event)  # the filter lets nothing else through
    if isinstance(event, OrderPlaced):
        return _placed(event, recorded)
    if order is None:
        raise LookupError(f"{recorded.type} of order {recorded.stream_id}, which was never placed")
    return order.model_copy(
        update={
            **_changes(event, order),
            "version": recorded.version,
            "updated_at": recorded.occurred_at,
        }
    )


def _placed(event: OrderPlaced, recorded: RecordedEvent) -> OrderSummary:
    currency = event.lines[0].unit_price.currency
    return OrderSummary(
        order_id=recorded.stream_id,
        version=recorded.version,
        status=OrderStatus.PLACED,
        customer_id=event.customer_id,
        country=event.country,
        placed_at=recorded.occurred_at,
        updated_at=recorded.occurred_at,
        from_history=event.from_history,
        currency=currency,
        line_count=len(event.lines),
        units=sum([line.quantity for line in event.lines]),
        total=_worth([(line.unit_price, line.quantity) for line in event.lines], currency),
        returned_units=0,
        returned_total=Money.zero(currency),
        lines=tuple(
            [
                SummaryLine(line.sku, line.description, line.quantity, line.unit_price)
                for line in event.lines
            ]
        ),
    )


def _changes(event: _Later, order: OrderSummary) -> Mapping[str, object]:
    match event:
        case RecipientNamed(recipient=recipient, address=address):
            return {"recipient": recipient, "address": address}
        case OrderConfirmed():
            return {"status": OrderStatus.CONFIRMED}
        case OrderShipped(shipment_id=shipment_id):
            return {"status": OrderStatus.SHIPPED, "shipment_id": shipment_id}
        case OrderDelivered():
            return {"status": OrderStatus.DELIVERED}
        case OrderCancelled():
            return {"status": OrderStatus.CANCELLED}
        case LinesReturned(lines=returned):
            return _returned(returned, order)
        case LinesClaimed() | LinesFreed():
            return {}  # an exchange is shown apart
        case _:
            assert_never(event)


def _returned(returned: Iterable[ReturnedLine], order: OrderSummary) -> Mapping[str, object]:
    lines = list(order.lines)
    for number, quantity in ((line.line, line.quantity) for line in returned):
        line = lines[number - 1]
        lines[number - 1] = replace(line, returned=line.returned + quantity)
    return {
        "lines": tuple(lines),
        "returned_units": sum(line.returned for line in lines),
        "returned_total": _worth(
            [(line.unit_price, line.returned) for line in lines], order.currency
        ),
    }


def _worth(priced: Iterable[tuple[Money, int]], currency: Currency) -> Money:
    amount = sum([price.amount * units for price, units in priced], Decimal(0))
    return Money(amount=amount, currency=currency)


order_summary = Projection(
    name="order_summary",
    version=2,
    view=OrderSummary,
    follows=(ORDER,),
    keys=_keys,
    evolve=_evolve,
    indexed=("customer_id", "status"),
    detail=("lines", "recipient", "address"),
    summed=("line_count", "units", "total", "returned_units", "returned_total"),
)
