"""An exchange of goods of an order for other goods. Stream: ``exchange-<exchange id>``.

    requested → received → approved → sent → completed
        └──────────┴──────────┴─────→ closed       only before the replacement leaves

The order keeps its lines, and does not let the exchanged ones be returned as well (``ClaimLines``).
If the replacement costs more, the difference is charged; if it costs less, it is refunded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, assert_never

from pydantic import BaseModel, ConfigDict, Field

from domain.decider import Command, Decider, DomainError, Event, Missing, replace
from domain.shop_values import LineNumber, OrderId, Quantity, Sku
from domain.values import Money, Text

# ── events ───────────────────────────────────────────────────────────────────────────────────────


class GoodsBack(BaseModel):
    """Units of one line of the order, at the price that was paid."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    line: LineNumber
    sku: Sku
    quantity: Quantity
    unit_price: Money


class Replacement(BaseModel):
    """Units of one SKU, at the price of the day."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    sku: Sku
    description: Text | None = None
    quantity: Quantity
    unit_price: Money


class ExchangeRequested(Event):
    order_id: OrderId
    country: Text | None = None
    back: tuple[GoodsBack, ...]
    replacements: tuple[Replacement, ...]

    @property
    def difference(self) -> Money:
        """What the customer has to pay; if negative, what the customer gets back."""
        sent, back = (_worth(lines) for lines in (self.replacements, self.back))
        return sent - back


class GoodsReceived(Event):
    """The goods that the customer sent back have arrived."""


class ExchangeApproved(Event):
    """The warehouse may send the replacement."""


class ReplacementSent(Event):
    pass


class ExchangeCompleted(Event):
    pass


class ExchangeClosed(Event):
    """It does not take place: the goods did not arrive, or the replacement is not available."""

    reason: Text


ExchangeEvent = (
    ExchangeRequested
    | GoodsReceived
    | ExchangeApproved
    | ReplacementSent
    | ExchangeCompleted
    | ExchangeClosed
)


def _worth(lines: Sequence[GoodsBack | Replacement]) -> Money:
    prices = (line.unit_price * line.quantity for line in lines)
    return sum(prices, start=Money.zero(lines[0].unit_price.currency))


# ── state ────────────────────────────────────────────────────────────────────────────────────────


class ExchangeStatus(StrEnum):
    REQUESTED = "requested"
    RECEIVED = "received"
    APPROVED = "approved"
    SENT = "sent"
    COMPLETED = "completed"
    CLOSED = "closed"


@dataclass(frozen=True)
class Exchange:
    requested: ExchangeRequested | None = None
    status: ExchangeStatus | None = None


def evolve(exchange: Exchange, event: ExchangeEvent) -> Exchange:
    match event:
        case ExchangeRequested():
            return Exchange(event, ExchangeStatus.REQUESTED)
        case GoodsReceived():
            return replace(exchange, status=ExchangeStatus.RECEIVED)
        case ExchangeApproved():
            return replace(exchange, status=ExchangeStatus.APPROVED)
        case ReplacementSent():
            return replace(exchange, status=ExchangeStatus.SENT)
        case ExchangeCompleted():
            return replace(exchange, status=ExchangeStatus.COMPLETED)
        case ExchangeClosed():
            return replace(exchange, status=ExchangeStatus.CLOSED)
        case _:
            assert_never(event)


# ── commands ─────────────────────────────────────────────────────────────────────────────────────

MOST_LINES = 100
"""The largest number of lines of one exchange, on either side."""

LARGEST_DIFFERENCE = Decimal(10) ** 12


class RequestExchange(Command):
    order_id: OrderId
    country: Text | None = None
    back: Annotated[tuple[GoodsBack, ...], Field(min_length=1, max_length=MOST_LINES)]
    replacements: Annotated[tuple[Replacement, ...], Field(min_length=1, max_length=MOST_LINES)]


class ReceiveGoods(Command):
    """Record that the goods have come back."""


class ApproveExchange(Command):
    pass


class SendReplacement(Command):
    """Record that the replacement leaves the shelf."""


class CompleteExchange(Command):
    pass


class CloseExchange(Command):
    reason: Text


ExchangeCommand = (
    RequestExchange
    | ReceiveGoods
    | ApproveExchange
    | SendReplacement
    | CompleteExchange
    | CloseExchange
)


class UnknownExchange(Missing):
    """No exchange has been requested under this id."""


class ExchangeAlreadyRequested(DomainError):
    """Another exchange has been requested under this id."""


class OtherCurrency(DomainError):
    """All goods of an exchange must be priced in the currency of the order."""


class NegativePrice(DomainError):
    """A price must be zero or more."""


class CannotBePaid(DomainError):
    """An amount to charge or refund must be a whole number of the currency's smallest units."""


class ExchangeIsClosed(DomainError):
    """The exchange has been closed."""


class GoodsNotReceived(DomainError):
    """The goods to return have not arrived yet."""


class NotApproved(DomainError):
    """The replacement is not ready to be sent."""


class NotSent(DomainError):
    """The replacement has not left yet."""


class AlreadySent(DomainError):
    """The replacement has left."""


# ── decide ───────────────────────────────────────────────────────────────────────────────────────


def decide(command: ExchangeCommand, exchange: Exchange) -> Sequence[ExchangeEvent]:
    if isinstance(command, RequestExchange):
        return _request(ExchangeRequested(**dict(command)), exchange)
    if exchange.status is None:
        raise UnknownExchange("there is no exchange with this id")
    match command:
        case CloseExchange(reason=reason):
            return _close(reason, exchange.status)
        case _ if exchange.status is ExchangeStatus.CLOSED:
            raise ExchangeIsClosed("it is closed: goods that come back are a return")
        case ReceiveGoods():
            return [GoodsReceived()] if exchange.status is ExchangeStatus.REQUESTED else []
        case ApproveExchange():
            return _approve(exchange.status)
        case SendReplacement():
            return _send(exchange.status)
        case CompleteExchange():
            return _complete(exchange.status)
        case _:
            assert_never(command)


def _request(requested: ExchangeRequested, exchange: Exchange) -> Sequence[ExchangeEvent]:
    if exchange.requested == requested:
        return []
    if exchange.requested is not None:
        raise ExchangeAlreadyRequested("an exchange of other goods was requested under this id")
    _require_priced((*requested.back, *requested.replacements))
    difference = requested.difference
    if not difference.can_be_paid or abs(difference.amount) > LARGEST_DIFFERENCE:
        raise CannotBePaid(f"the difference is {difference}, which cannot be paid")
    return [requested]


def _require_priced(lines: Sequence[GoodsBack | Replacement]) -> None:
    currency = lines[0].unit_price.currency
    for line in lines:
        if line.unit_price.currency != currency:
            raise OtherCurrency(f"{line.sku} costs {line.unit_price}, and others are in {currency}")
        if line.unit_price.amount < 0:
            raise NegativePrice(f"{line.sku} has the price {line.unit_price}")


def _approve(status: ExchangeStatus) -> Sequence[ExchangeEvent]:
    match status:
        case ExchangeStatus.REQUESTED:
            raise GoodsNotReceived("the goods have to come back before a replacement is sent")
        case ExchangeStatus.RECEIVED:
            return [ExchangeApproved()]
        case _:
            return []


def _send(status: ExchangeStatus) -> Sequence[ExchangeEvent]:
    match status:
        case ExchangeStatus.REQUESTED | ExchangeStatus.RECEIVED:
            raise NotApproved(f"the exchange is {status}: it has to be approved first")
        case ExchangeStatus.APPROVED:
            return [ReplacementSent()]
        case _:
            return []


def _complete(status: ExchangeStatus) -> Sequence[ExchangeEvent]:
    match status:
        case ExchangeStatus.SENT:
            return [ExchangeCompleted()]
        case ExchangeStatus.COMPLETED:
            return []
        case _:
            raise NotSent(f"the exchange is {status}: the replacement has to be sent first")


def _close(reason: str, status: ExchangeStatus) -> Sequence[ExchangeEvent]:
    match status:
        case ExchangeStatus.CLOSED:
            return []
        case ExchangeStatus.SENT | ExchangeStatus.COMPLETED:
            raise AlreadySent("the replacement has left: the exchange cannot be closed")
        case _:
            return [ExchangeClosed(reason=reason)]


decider: Decider[ExchangeCommand, Exchange, ExchangeEvent] = Decider(Exchange(), evolve, decide)
