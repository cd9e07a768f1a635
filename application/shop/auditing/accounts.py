"""What the audit keeps of each aggregate: its state by its own decider, and little more.

The lines of orders are kept as bare numbers, since they take most of the memory.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from sys import intern
from typing import NamedTuple, assert_never

from domain import exchanges, orders, payments, shipments, stock
from domain.exchanges import (
    ExchangeEvent,
    ExchangeRequested,
    GoodsBack,
    GoodsReceived,
    Replacement,
)
from domain.orders import OrderEvent, OrderPlaced, ReturnedLine
from domain.payments import PaymentEvent
from domain.shipments import ShipmentEvent
from domain.shop_values import OrderId
from domain.stock import (
    StockAdjusted,
    StockDispatched,
    StockEvent,
    StockReceived,
    StockReleased,
    StockReserved,
    StockWrittenOff,
)
from domain.values import Money

_KEPT = (orders.OrderStatus.CONFIRMED, orders.OrderStatus.SHIPPED, orders.OrderStatus.DELIVERED)


class AccountLine(NamedTuple):
    """One line of an order, small."""

    sku: str
    quantity: int
    price: Decimal


@dataclass
class OrderAccount:
    """One order, and the ends of its saga."""

    state: orders.Order = orders.decider.initial
    lines: tuple[AccountLine, ...] = ()
    currency: str = ""
    ends: tuple[str, ...] = ()

    def enter(self, event: OrderEvent) -> None:
        if isinstance(event, OrderPlaced):
            if not event.from_history:  # else it was fulfilled elsewhere
                self.lines = tuple(
                    AccountLine(intern(line.sku), line.quantity, line.unit_price.amount)
                    for line in event.lines
                )
            self.currency = intern(event.lines[0].unit_price.currency)
            event = event.model_copy(update={"lines": ()})
        self.state = orders.decider.evolve(self.state, event)

    @property
    def exists(self) -> bool:
        return self.state.status is not None

    @property
    def status(self) -> str:
        return self.state.status.value if self.state.status else "unknown"

    @property
    def is_ours(self) -> bool:
        """Whether we had to fulfil it."""
        return self.exists and not self.state.from_history

    @property
    def end(self) -> str | None:
        """The last end of its saga: ``completed``, ``compensated``, ``failed`` or ``resolved``."""
        return self.ends[-1] if self.ends else None

    @property
    def is_settled(self) -> bool:
        """Whether its saga has ended for good; the warehouse and returns may go on."""
        undone = self.state.status is orders.OrderStatus.CANCELLED
        return self.end == "compensated" or (self.end == "completed" and not undone)

    def has(self, sku: str) -> bool:
        """Whether any of its lines is of that SKU."""
        return any(line.sku == sku for line in self.lines)

    @property
    def ordered(self) -> Counter[str]:
        """Units of each SKU."""
        units = Counter[str]()
        for line in self.lines:
            units[line.sku] += line.quantity
        return units

    def units_of(self, returned: tuple[ReturnedLine, ...]) -> Counter[str]:
        """Units of each SKU that came back."""
        units = Counter[str]()
        for line in returned:
            units[self.lines[line.line - 1].sku] += line.quantity
        return units

    def worth_of(self, returned: tuple[ReturnedLine, ...]) -> Money:
        """The price of what came back."""
        worth = (self.lines[line.line - 1].price * line.quantity for line in returned)
        return Money(amount=sum(worth, Decimal(0)), currency=self.currency)

    @property
    def due(self) -> Money:
        """The price of what the customer has or will get, without returns."""
        if self.state.status not in _KEPT:
            return Money.zero(self.currency)
        worth = sum((line.price * line.quantity for line in self.lines), Decimal(0))
        returned = tuple(line for lines in self.state.returns.values() for line in lines)
        return Money(amount=worth, currency=self.currency) - self.worth_of(returned)


@dataclass
class StockAccount:
    """One SKU, counted twice: by its decider, and by adding up its movements."""

    state: stock.Stock = stock.decider.initial
    received: int = 0
    adjusted: int = 0
    written_off: int = 0
    dispatched: int = 0
    _by_history: int = 0
    short: int = 0  # the most that was ever missing from stock, but for write-offs from history
    overpromised: int = 0  # the same for reservations

    def enter(self, event: StockEvent) -> None:
        self.state = stock.decider.evolve(self.state, event)
        match event:
            case StockReceived(quantity=quantity):
                self.received += quantity
            case StockDispatched(quantity=quantity):
                self.dispatched += quantity
            case StockWrittenOff(quantity=quantity, from_history=from_history):
                self.written_off += quantity
                self._by_history += quantity if from_history else 0
            case StockAdjusted(difference=difference):
                self.adjusted += difference
            case StockReserved() | StockReleased():
                pass
            case _:
                assert_never(event)
        self.short = max(self.short, -self.state.on_hand - self._by_history)
        self.overpromised = max(self.overpromised, -self.state.available - self._by_history)

    @property
    def counted(self) -> int:
        """Units received less units gone."""
        return self.received + self.adjusted - self.written_off - self.dispatched


@dataclass
class PaymentAccount:
    """One payment."""

    state: payments.Payment = payments.decider.initial

    def enter(self, event: PaymentEvent) -> None:
        self.state = payments.decider.evolve(self.state, event)

    @property
    def order_id(self) -> OrderId | None:
        return self.state.attempt.order_id if self.state.attempt else None


@dataclass
class ShipmentAccount:
    """One shipment."""

    state: shipments.Shipment = shipments.decider.initial

    def enter(self, event: ShipmentEvent) -> None:
        self.state = shipments.decider.evolve(self.state, event)

    @property
    def order_id(self) -> OrderId | None:
        return self.state.booked.order_id if self.state.booked else None

    @property
    def is_alive(self) -> bool:
        return self.state.status not in (None, shipments.ShipmentStatus.CANCELLED)


@dataclass
class ExchangeAccount:
    """One exchange, and the ends of its saga."""

    state: exchanges.Exchange = exchanges.decider.initial
    ends: tuple[str, ...] = ()
    received: bool = False  # its goods came back

    def enter(self, event: ExchangeEvent) -> None:
        self.received = self.received or isinstance(event, GoodsReceived)
        self.state = exchanges.decider.evolve(self.state, event)

    @property
    def requested(self) -> ExchangeRequested:
        assert self.state.requested is not None  # a stream begins with it
        return self.state.requested

    @property
    def status(self) -> str:
        return self.state.status.value if self.state.status else "unknown"

    @property
    def end(self) -> str | None:
        """The last end of its saga; a closed one may have been undone since."""
        return self.ends[-1] if self.ends else None

    @property
    def is_settled(self) -> bool:
        """Whether nothing goes on any more."""
        return self.end in ("completed", "compensated")

    @property
    def is_completed(self) -> bool:
        return self.state.status is exchanges.ExchangeStatus.COMPLETED

    @property
    def back(self) -> Counter[str]:
        """Units of each SKU that came back for it."""
        return _units(self.requested.back)

    @property
    def replacement(self) -> Counter[str]:
        """Units of each SKU that go out for it."""
        return _units(self.requested.replacements)


def _units(lines: tuple[GoodsBack | Replacement, ...]) -> Counter[str]:
    units = Counter[str]()
    for line in lines:
        units[line.sku] += line.quantity
    return units


@dataclass
class Accounts:
    """All of the shop, each by its id."""

    orders: dict[str, OrderAccount] = field(default_factory=dict)
    stock: dict[str, StockAccount] = field(default_factory=dict)
    payments: dict[str, PaymentAccount] = field(default_factory=dict)
    shipments: dict[str, ShipmentAccount] = field(default_factory=dict)
    exchanges: dict[str, ExchangeAccount] = field(default_factory=dict)

    @cached_property
    def _exchanged(self) -> Mapping[str, Sequence[ExchangeAccount]]:
        """Exchanges by order. Only valid once all events have been entered."""
        exchanged = defaultdict[str, list[ExchangeAccount]](list)
        for one in self.exchanges.values():
            if one.state.requested is not None:
                exchanged[one.state.requested.order_id].append(one)
        return exchanged

    def exchanges_of(self, order_id: OrderId) -> Sequence[ExchangeAccount]:
        """All exchanges of goods of that order."""
        return self._exchanged.get(order_id, ())

    def is_settled(self, order_id: OrderId) -> bool:
        """Whether that order and its exchanges have come to their end."""
        exchanged = all(one.is_settled for one in self.exchanges_of(order_id))
        return self.orders[order_id].is_settled and exchanged

    @property
    def ours(self) -> Mapping[str, OrderAccount]:
        """The orders that we had to fulfil."""
        return {id: order for id, order in self.orders.items() if order.is_ours}
