"""An order of a customer, from placing to delivery. Stream: ``order-<order id>``.

    placed → confirmed → shipped → delivered        goods may come back once they have left,
                                                    and may be claimed for an exchange before
       └─────────┴──→ cancelled                     only before they leave

An order ``from_history`` was imported: it was fulfilled elsewhere, and its shipping is unknown. It
accepts only returns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, assert_never

from pydantic import BaseModel, ConfigDict, Field

from domain.currencies import DECIMALS
from domain.decider import Command, Decider, DomainError, Event, Missing, replace
from domain.personal import Personal, Subject
from domain.shop_values import (
    CustomerId,
    ExchangeId,
    LineNumber,
    Quantity,
    ReturnId,
    ShipmentId,
    Sku,
)
from domain.speed import checked
from domain.values import Money, Name, Text

# ── events ───────────────────────────────────────────────────────────────────────────────────────


@checked
class OrderLine:
    """Units of one SKU, at the price of that day."""

    sku: Sku
    description: Text | None = None
    quantity: Quantity
    unit_price: Money


class ReturnedLine(BaseModel):
    """Returned units of one line."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    line: LineNumber
    quantity: Quantity


class OrderPlaced(Event):
    """Version 2: prices have a currency. In version 1, all prices were in pounds."""

    customer_id: Annotated[CustomerId | None, Subject] = None  # None: a guest
    country: Text | None = None
    lines: tuple[OrderLine, ...]
    from_history: bool = False


class RecipientNamed(Event):
    """Who gets the parcel, and where: apart from the order itself, since it can be forgotten."""

    customer_id: Annotated[CustomerId | None, Subject] = None
    recipient: Annotated[Name, Personal] | None = None
    address: Annotated[Text, Personal] | None = None


class OrderConfirmed(Event):
    pass


class OrderShipped(Event):
    shipment_id: ShipmentId


class OrderDelivered(Event):
    pass


class OrderCancelled(Event):
    reason: Text


class LinesReturned(Event):
    return_id: ReturnId
    lines: tuple[ReturnedLine, ...]


class LinesClaimed(Event):
    """The lines are part of an exchange, so they cannot be returned as well."""

    exchange_id: ExchangeId
    lines: tuple[ReturnedLine, ...]


class LinesFreed(Event):
    """The exchange does not take place."""

    exchange_id: ExchangeId


OrderEvent = (
    OrderPlaced
    | RecipientNamed
    | OrderConfirmed
    | OrderShipped
    | OrderDelivered
    | OrderCancelled
    | LinesReturned
    | LinesClaimed
    | LinesFreed
)

# ── state ────────────────────────────────────────────────────────────────────────────────────────


class OrderStatus(StrEnum):
    PLACED = "placed"
    CONFIRMED = "confirmed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Order:
    placed: OrderPlaced | None = None
    recipient: RecipientNamed | None = None
    status: OrderStatus | None = None
    shipment_id: ShipmentId | None = None
    returns: Mapping[ReturnId, tuple[ReturnedLine, ...]] = field(default_factory=dict)
    returned: Mapping[LineNumber, int] = field(default_factory=dict)
    claims: Mapping[ExchangeId, tuple[ReturnedLine, ...]] = field(default_factory=dict)

    @property
    def from_history(self) -> bool:
        return self.placed is not None and self.placed.from_history

    @property
    def goods_have_left(self) -> bool:
        return self.from_history or self.status in (OrderStatus.SHIPPED, OrderStatus.DELIVERED)


def evolve(order: Order, event: OrderEvent) -> Order:
    match event:
        case OrderPlaced():
            return replace(order, placed=event, status=OrderStatus.PLACED)
        case RecipientNamed():
            return replace(order, recipient=event)
        case OrderConfirmed():
            return replace(order, status=OrderStatus.CONFIRMED)
        case OrderShipped(shipment_id=shipment_id):
            return replace(order, status=OrderStatus.SHIPPED, shipment_id=shipment_id)
        case OrderDelivered():
            return replace(order, status=OrderStatus.DELIVERED)
        case OrderCancelled():
            return replace(order, status=OrderStatus.CANCELLED)
        case LinesReturned(return_id=return_id, lines=lines):
            return replace(
                order,
                returns={**order.returns, return_id: lines},
                returned=_plus(order.returned, lines),
            )
        case LinesClaimed(exchange_id=exchange_id, lines=lines):
            return replace(order, claims={**order.claims, exchange_id: lines})
        case LinesFreed(exchange_id=exchange_id):
            kept = {id: lines for id, lines in order.claims.items() if id != exchange_id}
            return replace(order, claims=kept)
        case _:
            assert_never(event)


def _plus(returned: Mapping[int, int], lines: Sequence[ReturnedLine]) -> Mapping[int, int]:
    total = dict(returned)
    for line in lines:
        total[line.line] = total.get(line.line, 0) + line.quantity
    return total


# ── commands ─────────────────────────────────────────────────────────────────────────────────────

MOST_LINES = 1200
"""The largest number of lines: the longest invoice of a real history has 1,114."""

LARGEST_WORTH = Decimal(10) ** 12
"""The largest value of an order: the sum of a million such orders still fits into a ``Money``."""


class PlaceOrder(Command):
    customer_id: CustomerId | None = None
    country: Text | None = None
    lines: Annotated[tuple[OrderLine, ...], Field(min_length=1, max_length=MOST_LINES)]
    from_history: bool = False
    recipient: Name | None = None
    address: Text | None = None


class ConfirmOrder(Command):
    pass


class ShipOrder(Command):
    shipment_id: ShipmentId


class DeliverOrder(Command):
    pass


class CancelOrder(Command):
    reason: Text


class ReturnLines(Command):
    return_id: ReturnId
    lines: Annotated[tuple[ReturnedLine, ...], Field(min_length=1, max_length=MOST_LINES)]


class ClaimLines(Command):
    """Claim these lines for an exchange."""

    exchange_id: ExchangeId
    lines: Annotated[tuple[ReturnedLine, ...], Field(min_length=1, max_length=MOST_LINES)]


class FreeLines(Command):
    """Give up a claim. Has no effect without one, so it is safe to send in doubt."""

    exchange_id: ExchangeId


OrderCommand = (
    PlaceOrder
    | ConfirmOrder
    | ShipOrder
    | DeliverOrder
    | CancelOrder
    | ReturnLines
    | ClaimLines
    | FreeLines
)


class UnknownOrder(Missing):
    """No order has been placed under this id."""


class OrderAlreadyPlaced(DomainError):
    """Another order has been placed under this id."""


class MixedCurrencies(DomainError):
    """All lines of an order must be in one currency."""


class NegativePrice(DomainError):
    """A price must be zero or more."""


class NoSuchCurrency(DomainError):
    """A price must be in a currency that exists."""


class CannotBePaid(DomainError):
    """An amount to pay or refund must be a whole number of the currency's smallest units."""


class WorthTooMuch(DomainError):
    """An order can be worth at most a million million."""


class FulfilledElsewhere(DomainError):
    """The order was imported from history: it was fulfilled elsewhere."""


class NotConfirmed(DomainError):
    """Only a confirmed order can be shipped."""


class NotShipped(DomainError):
    """The goods have not left yet."""


class AlreadyShipped(DomainError):
    """The goods have left already."""


class AlreadyCancelled(DomainError):
    """The order has been cancelled."""


class NoSuchLine(DomainError):
    """The order has no line with that number."""


class MoreThanOrdered(DomainError):
    """No more units can be returned than were ordered."""


class ReturnAlreadyRecorded(DomainError):
    """Another return has been recorded under this id."""


class LinesAlreadyClaimed(DomainError):
    """Other lines have been claimed for this exchange."""


# ── decide ───────────────────────────────────────────────────────────────────────────────────────


def decide(command: OrderCommand, order: Order) -> Sequence[OrderEvent]:
    if isinstance(command, PlaceOrder):
        return _place(command, order)
    if order.placed is None or order.status is None:
        raise UnknownOrder("there is no order with this id")
    if order.from_history and not isinstance(command, ReturnLines):
        raise FulfilledElsewhere("an order from history accepts only returns")
    match command:
        case ConfirmOrder():
            return _confirm(order.status)
        case ShipOrder(shipment_id=shipment_id):
            return _ship(shipment_id, order)
        case DeliverOrder():
            return _deliver(order.status)
        case CancelOrder(reason=reason):
            return _cancel(reason, order)
        case ReturnLines():
            return _return(command, order, order.placed.lines)
        case ClaimLines():
            return _claim(command, order, order.placed.lines)
        case FreeLines(exchange_id=exchange_id):
            freed = exchange_id in order.claims
            return [LinesFreed(exchange_id=exchange_id)] if freed else []
        case _:
            assert_never(command)


def _place(command: PlaceOrder, order: Order) -> Sequence[OrderEvent]:
    placed, recipient = _placed(command), _recipient(command)
    if (order.placed, order.recipient) == (placed, recipient):
        return []
    if order.placed is not None:
        raise OrderAlreadyPlaced("an order with other content has been placed under this id")
    _require_priced(command.lines)
    if not command.from_history:  # it was paid elsewhere, so it is not charged
        _require_payable(command.lines)
    return [placed] if recipient is None else [placed, recipient]


def _placed(command: PlaceOrder) -> OrderPlaced:
    said = {name: getattr(command, name) for name in OrderPlaced.model_fields}
    return OrderPlaced.model_construct(**said)


def _recipient(command: PlaceOrder) -> RecipientNamed | None:
    if command.recipient is None and command.address is None:
        return None
    return RecipientNamed(
        customer_id=command.customer_id, recipient=command.recipient, address=command.address
    )


def _require_priced(lines: Sequence[OrderLine]) -> None:
    if len({line.unit_price.currency for line in lines}) > 1:
        raise MixedCurrencies("all lines of an order are priced in the same currency")
    for number, line in enumerate(lines, start=1):
        if line.unit_price.amount < 0:
            raise NegativePrice(f"line {number} has the price {line.unit_price}")
    if sum(line.unit_price.amount * line.quantity for line in lines) > LARGEST_WORTH:
        raise WorthTooMuch(f"the lines are worth more than {LARGEST_WORTH:,} in sum")


def _require_payable(lines: Sequence[OrderLine]) -> None:
    """Require that the value of each line can be paid, so that each can be refunded as a whole."""
    for number, line in enumerate(lines, start=1):
        currency, worth = line.unit_price.currency, line.unit_price * line.quantity
        if currency not in DECIMALS:
            raise NoSuchCurrency(f"line {number} is priced in {currency}, which is not a currency")
        if not worth.can_be_paid:
            raise CannotBePaid(f"line {number} comes to {worth}: {_smallest(currency)}")


def _smallest(currency: str) -> str:
    return f"the smallest unit of {currency} is {Decimal(1).scaleb(-DECIMALS[currency]):f}"


def _confirm(status: OrderStatus) -> Sequence[OrderEvent]:
    match status:
        case OrderStatus.PLACED:
            return [OrderConfirmed()]
        case OrderStatus.CANCELLED:
            raise AlreadyCancelled("a cancelled order cannot be confirmed")
        case _:
            return []


def _ship(shipment_id: ShipmentId, order: Order) -> Sequence[OrderEvent]:
    match order.status:
        case OrderStatus.CONFIRMED:
            return [OrderShipped(shipment_id=shipment_id)]
        case OrderStatus.SHIPPED | OrderStatus.DELIVERED if order.shipment_id == shipment_id:
            return []
        case OrderStatus.SHIPPED | OrderStatus.DELIVERED:
            raise AlreadyShipped(f"the order left with shipment {order.shipment_id}")
        case OrderStatus.CANCELLED:
            raise AlreadyCancelled("a cancelled order cannot be shipped")
        case _:
            raise NotConfirmed("the order has to be confirmed before it is shipped")


def _deliver(status: OrderStatus) -> Sequence[OrderEvent]:
    match status:
        case OrderStatus.SHIPPED:
            return [OrderDelivered()]
        case OrderStatus.DELIVERED:
            return []
        case OrderStatus.CANCELLED:
            raise AlreadyCancelled("a cancelled order cannot be delivered")
        case _:
            raise NotShipped("the order has to be shipped before it is delivered")


def _cancel(reason: str, order: Order) -> Sequence[OrderEvent]:
    match order.status:
        case OrderStatus.CANCELLED:
            return []
        case OrderStatus.SHIPPED | OrderStatus.DELIVERED:
            raise AlreadyShipped("the goods have left: they can be returned, not cancelled")
        case _:
            return [OrderCancelled(reason=reason)]


def _return(
    command: ReturnLines, order: Order, ordered: Sequence[OrderLine]
) -> Sequence[OrderEvent]:
    if order.returns.get(command.return_id) == command.lines:
        return []
    if command.return_id in order.returns:
        raise ReturnAlreadyRecorded(f"return {command.return_id} has other lines")
    _require_with_customer(command.lines, order, ordered)
    if not order.from_history:
        _require_repayable(command.lines, ordered)
    return [LinesReturned(return_id=command.return_id, lines=command.lines)]


def _claim(command: ClaimLines, order: Order, ordered: Sequence[OrderLine]) -> Sequence[OrderEvent]:
    if order.claims.get(command.exchange_id) == command.lines:
        return []
    if command.exchange_id in order.claims:
        raise LinesAlreadyClaimed(f"exchange {command.exchange_id} is for other lines")
    _require_with_customer(command.lines, order, ordered)
    _require_repayable(command.lines, ordered)  # as a return, should the exchange fail
    return [LinesClaimed(exchange_id=command.exchange_id, lines=command.lines)]


def _require_with_customer(
    lines: Sequence[ReturnedLine], order: Order, ordered: Sequence[OrderLine]
) -> None:
    """Require that these units were shipped, and are neither returned nor claimed."""
    if order.status is OrderStatus.CANCELLED:
        raise AlreadyCancelled("nothing was sent, so nothing can come back")
    if not order.goods_have_left:
        raise NotShipped("the goods have not left yet: cancel the order instead")
    gone = order.returned
    for claimed in order.claims.values():
        gone = _plus(gone, claimed)
    for number, quantity in _plus(gone, lines).items():
        if number > len(ordered):
            raise NoSuchLine(f"line {number} does not exist, the order has {len(ordered)}")
        if quantity > ordered[number - 1].quantity:
            raise MoreThanOrdered(
                f"line {number} has {ordered[number - 1].quantity} units, of which "
                f"{gone.get(number, 0)} have come back already or are claimed for an exchange"
            )


def _require_repayable(lines: Sequence[ReturnedLine], ordered: Sequence[OrderLine]) -> None:
    prices = [ordered[line.line - 1].unit_price * line.quantity for line in lines]
    back = sum(prices, start=Money.zero(ordered[0].unit_price.currency))
    if not back.can_be_paid:
        raise CannotBePaid(f"{back} would go back: {_smallest(back.currency)}")


decider: Decider[OrderCommand, Order, OrderEvent] = Decider(Order(), evolve, decide)
