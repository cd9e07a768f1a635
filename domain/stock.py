"""Stock of one SKU: units on hand, and units reserved for orders. Stream: ``stock-<sku>``.

    received → on hand → written off, adjusted
                  ↑↓
               reserved → dispatched               per order; released: available again

Units that are on hand and not reserved are available. Only these can be reserved, written off or
adjusted away. One exception: an imported history writes off goods whose arrival it never recorded
(``from_history``), so an imported stock may be negative. It sells nothing until it is positive.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from immutables import Map

from domain.decider import Command, Decider, DomainError, Event, replace
from domain.shop_values import AdjustmentId, Difference, OrderId, Quantity, ReceiptId, WriteOffId
from domain.values import Remembered, Text

# ── events ───────────────────────────────────────────────────────────────────────────────────────


class StockReceived(Event):
    receipt_id: ReceiptId
    quantity: Quantity


class StockReserved(Event):
    order_id: OrderId
    quantity: Quantity


class StockReleased(Event):
    order_id: OrderId
    quantity: Quantity


class StockDispatched(Event):
    order_id: OrderId
    quantity: Quantity


class StockWrittenOff(Event):
    """Goods were damaged, lost or stolen."""

    write_off_id: WriteOffId
    quantity: Quantity
    reason: Text
    from_history: bool = False


class StockAdjusted(Event):
    """A count found more than was recorded; negative: less."""

    adjustment_id: AdjustmentId
    difference: Difference
    reason: Text


Entry = StockReceived | StockWrittenOff | StockAdjusted
StockEvent = StockReserved | StockReleased | StockDispatched | Entry

# ── state ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Stock:
    on_hand: int = 0
    reserved: Remembered[OrderId, int] = field(default_factory=Map)
    # What follows is remembered only to recognise a repeated command.
    dispatched: Remembered[OrderId, int] = field(default_factory=Map)
    receipts: Remembered[ReceiptId, StockReceived] = field(default_factory=Map)
    write_offs: Remembered[WriteOffId, StockWrittenOff] = field(default_factory=Map)
    adjustments: Remembered[AdjustmentId, StockAdjusted] = field(default_factory=Map)

    @property
    def available(self) -> int:
        """Units that can be reserved; negative only after a write-off from history."""
        return self.on_hand - sum(self.reserved.values())


def evolve(stock: Stock, event: StockEvent) -> Stock:
    match event:
        case StockReceived(receipt_id=receipt_id, quantity=quantity):
            receipts = stock.receipts.set(receipt_id, event)
            return replace(stock, on_hand=stock.on_hand + quantity, receipts=receipts)
        case StockReserved(order_id=order_id, quantity=quantity):
            return replace(stock, reserved=stock.reserved.set(order_id, quantity))
        case StockReleased(order_id=order_id):
            return replace(stock, reserved=_without(order_id, stock.reserved))
        case StockDispatched(order_id=order_id, quantity=quantity):
            return replace(
                stock,
                on_hand=stock.on_hand - quantity,
                reserved=_without(order_id, stock.reserved),
                dispatched=stock.dispatched.set(order_id, quantity),
            )
        case StockWrittenOff(write_off_id=write_off_id, quantity=quantity):
            write_offs = stock.write_offs.set(write_off_id, event)
            return replace(stock, on_hand=stock.on_hand - quantity, write_offs=write_offs)
        case StockAdjusted(adjustment_id=adjustment_id, difference=difference):
            adjustments = stock.adjustments.set(adjustment_id, event)
            return replace(stock, on_hand=stock.on_hand + difference, adjustments=adjustments)
        case _:
            assert_never(event)


def _without(order_id: OrderId, reserved: Map[OrderId, int]) -> Map[OrderId, int]:
    return reserved.delete(order_id) if order_id in reserved else reserved


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


class ReceiveStock(Command):
    receipt_id: ReceiptId
    quantity: Quantity


class ReserveStock(Command):
    """Reserve all units of this SKU that an order needs, over all its lines."""

    order_id: OrderId
    quantity: Quantity


class ReleaseStock(Command):
    """Release a reservation. Has no effect without one, so it is safe to send in doubt."""

    order_id: OrderId


class DispatchStock(Command):
    """Send what was reserved."""

    order_id: OrderId


class WriteOffStock(Command):
    write_off_id: WriteOffId
    quantity: Quantity
    reason: Text
    from_history: bool = False


class AdjustStock(Command):
    adjustment_id: AdjustmentId
    difference: Difference
    reason: Text


StockCommand = (
    ReceiveStock | ReserveStock | ReleaseStock | DispatchStock | WriteOffStock | AdjustStock
)


class OutOfStock(DomainError):
    """Less is available than the order needs."""


class ReservedOtherwise(DomainError):
    """The order has reserved another quantity."""


class NotReserved(DomainError):
    """Nothing is reserved for the order."""


class AlreadyDispatched(DomainError):
    """The goods for this order have left."""


class NotOnHand(DomainError):
    """Fewer units are on hand."""


class PromisedToOrders(DomainError):
    """Enough units are on hand, but orders have reserved them."""


class RecordedOtherwise(DomainError):
    """Another receipt, write-off or adjustment has been recorded under this id."""


# ── decide ───────────────────────────────────────────────────────────────────────────────────────


def decide(command: StockCommand, stock: Stock) -> Sequence[StockEvent]:
    match command:
        case ReceiveStock():
            return _receive(command, stock)
        case ReserveStock(order_id=order_id, quantity=quantity):
            return _reserve(order_id, quantity, stock)
        case ReleaseStock(order_id=order_id):
            return _release(order_id, stock)
        case DispatchStock(order_id=order_id):
            return _dispatch(order_id, stock)
        case WriteOffStock():
            return _write_off(command, stock)
        case AdjustStock():
            return _adjust(command, stock)
        case _:
            assert_never(command)


def _receive(command: ReceiveStock, stock: Stock) -> Sequence[StockEvent]:
    received = StockReceived(**dict(command))
    if _stands(received, stock.receipts.get(command.receipt_id)):
        return []
    return [received]


def _reserve(order_id: OrderId, quantity: int, stock: Stock) -> Sequence[StockEvent]:
    if quantity in (stock.reserved.get(order_id), stock.dispatched.get(order_id)):
        return []
    if order_id in stock.dispatched:
        raise AlreadyDispatched(f"{stock.dispatched[order_id]} have left for order {order_id}")
    if order_id in stock.reserved:
        raise ReservedOtherwise(f"order {order_id} has reserved {stock.reserved[order_id]}")
    if quantity > stock.available:
        raise OutOfStock(f"{quantity} are wanted, {max(stock.available, 0)} are available")
    return [StockReserved(order_id=order_id, quantity=quantity)]


def _release(order_id: OrderId, stock: Stock) -> Sequence[StockEvent]:
    if order_id in stock.dispatched:
        raise AlreadyDispatched(f"{stock.dispatched[order_id]} have left for order {order_id}")
    if order_id not in stock.reserved:
        return []
    return [StockReleased(order_id=order_id, quantity=stock.reserved[order_id])]


def _dispatch(order_id: OrderId, stock: Stock) -> Sequence[StockEvent]:
    if order_id in stock.dispatched:
        return []
    if order_id not in stock.reserved:
        raise NotReserved(f"nothing is reserved for order {order_id}: reserve before dispatching")
    quantity = stock.reserved[order_id]
    if quantity > stock.on_hand:  # only after a write-off from history
        raise NotOnHand(f"{quantity} are reserved, {max(stock.on_hand, 0)} are on hand")
    return [StockDispatched(order_id=order_id, quantity=quantity)]


def _write_off(command: WriteOffStock, stock: Stock) -> Sequence[StockEvent]:
    written_off = StockWrittenOff(**dict(command))
    if _stands(written_off, stock.write_offs.get(command.write_off_id)):
        return []
    if not command.from_history:
        _require_free(command.quantity, stock)
    return [written_off]


def _adjust(command: AdjustStock, stock: Stock) -> Sequence[StockEvent]:
    adjusted = StockAdjusted(**dict(command))
    if _stands(adjusted, stock.adjustments.get(command.adjustment_id)):
        return []
    if command.difference == 0:
        return []  # the count found what was recorded
    _require_free(-command.difference, stock)
    return [adjusted]


def _stands(entry: Entry, recorded: Entry | None) -> bool:
    """Whether this entry is recorded already; its id stands for this content only."""
    if recorded is not None and recorded != entry:
        raise RecordedOtherwise(f"another entry is recorded under this id: {recorded}")
    return recorded is not None


def _require_free(quantity: int, stock: Stock) -> None:
    """Require that these units are available."""
    if quantity > max(stock.on_hand, 0):
        raise NotOnHand(f"{quantity} cannot be removed, {max(stock.on_hand, 0)} are on hand")
    if quantity > max(stock.available, 0):
        raise PromisedToOrders(
            f"{quantity} cannot go: of {stock.on_hand} on hand, {max(stock.available, 0)} are free"
        )


decider: Decider[StockCommand, Stock, StockEvent] = Decider(Stock(), evolve, decide)
