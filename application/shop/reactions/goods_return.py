"""A return of goods: received → refunded → restocked. Three reactions, without an orchestrator.

    LinesReturned    → refund what was paid for them, and record it              PaymentRefunded
    PaymentRefunded  → put the goods back on the shelf                           StockReceived
    LinesReturned    → the same at once, when nothing was paid for them          StockReceived

Each reaction depends only on the event before it. The saga id in the metadata connects them. Each
is idempotent: keys and ids are made of the order and the return, so nothing is refunded or
restocked twice. Orders from history are ignored, and so are refunds without a return, such as those
of a cancellation.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, assert_never
from uuid import NAMESPACE_OID, uuid5

from application.category import Category
from application.command_dispatch import CommandDispatch
from application.messages import Context, RecordedEvent
from application.ports import EventStore
from application.reactions import Reaction
from application.shop.aggregates import ORDER, PAYMENT
from application.shop.ports import Outside, PaymentProvider
from application.shop.sagas.payment_calls import authorisation_key
from domain.orders import LinesReturned, Order, OrderLine, ReturnedLine
from domain.payments import Payment, PaymentRefunded, RefundPayment
from domain.shop_values import OrderId, ReceiptId, ReturnId, Sku
from domain.stock import ReceiveStock
from domain.values import Money

GROUP: Final = "goods_return"

# ── what follows from an event ───────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Refund:
    """Refund what was paid for the goods."""

    amount: Money


@dataclass(frozen=True)
class Restock:
    """Put the goods back on the shelf."""

    units: Mapping[Sku, int]


def reaction(
    event: LinesReturned | PaymentRefunded, order: Order, payment: Payment
) -> Refund | Restock | None:
    """The action that follows from one event, given the order and its payment."""
    id = _return_id(event)
    if order.placed is None or order.from_history or id not in order.returns:
        return None
    lines, ordered = order.returns[id], order.placed.lines
    if isinstance(event, LinesReturned) and payment.captured is not None:
        worth = _worth(lines, ordered)
        if worth.amount > 0:
            return Refund(worth)
    return Restock(_units(lines, ordered))


def _return_id(event: LinesReturned | PaymentRefunded) -> ReturnId:
    """A refund for a return has its id."""
    return event.return_id if isinstance(event, LinesReturned) else event.refund_id


def _worth(lines: Sequence[ReturnedLine], ordered: Sequence[OrderLine]) -> Money:
    prices = [ordered[line.line - 1].unit_price * line.quantity for line in lines]
    return sum(prices, start=Money.zero(ordered[0].unit_price.currency))


def _units(lines: Sequence[ReturnedLine], ordered: Sequence[OrderLine]) -> Mapping[Sku, int]:
    units: Counter[Sku] = Counter()
    for line in lines:
        units[ordered[line.line - 1].sku] += line.quantity
    return units


# ── names: no id holds a slash, so each stands for one return of one order ───────────────────────


def saga_id(order_id: OrderId, return_id: ReturnId) -> str:
    """What all events of one return of goods carry."""
    return f"{GROUP}:{order_id}/{return_id}"


def refund_key(order_id: OrderId, return_id: ReturnId) -> str:
    """The key of the refund at the payment provider."""
    return f"return:{order_id}/{return_id}"


def receipt_id(order_id: OrderId, return_id: ReturnId) -> ReceiptId:
    """The receipt under which the goods come back into stock."""
    return f"return:{uuid5(NAMESPACE_OID, saga_id(order_id, return_id))}"


# ── performing it ────────────────────────────────────────────────────────────────────────────────


class GoodsReturn:
    """Reacts to the events of the consumer group."""

    def __init__(
        self,
        store: EventStore,
        dispatch: CommandDispatch,
        payment_provider: PaymentProvider,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._dispatch = store, dispatch
        self._payment_provider, self._clock = payment_provider, clock

    async def handle(self, recorded: RecordedEvent) -> None:
        """React to one event; idempotent.

        Raises what the ports and the domain raise. After an unknown outcome, the call is repeated
        with the same key.
        """
        event = recorded.event
        assert isinstance(event, LinesReturned | PaymentRefunded)  # the group gets no others
        order_id = recorded.stream_id  # a payment has the id of its order
        order = await self._fold(ORDER, order_id)
        payment = await self._fold(PAYMENT, order_id)
        names = (order_id, _return_id(event))
        context = replace(recorded.caused(GROUP, self._clock()), saga_id=saga_id(*names))
        match reaction(event, order, payment):
            case Refund(amount):
                await self._refund(*names, amount, context)
            case Restock(units):
                await self._restock(receipt_id(*names), units, context)
            case None:
                return
            case other:
                assert_never(other)

    async def _refund(
        self, order_id: OrderId, return_id: ReturnId, amount: Money, context: Context
    ) -> None:
        key = refund_key(order_id, return_id)
        await self._payment_provider.refund(key, authorisation_key(order_id), amount)
        await self._dispatch(order_id, RefundPayment(refund_id=return_id, amount=amount), context)

    async def _restock(
        self, receipt_id: ReceiptId, units: Mapping[Sku, int], context: Context
    ) -> None:
        for sku, quantity in units.items():
            received = ReceiveStock(receipt_id=receipt_id, quantity=quantity)
            own = replace(context, command_id=uuid5(context.command_id, sku))
            await self._dispatch(sku, received, own)

    async def _fold(self, category: Category, id: str) -> Any:
        events = [recorded.event async for recorded in self._store.read(category.stream(id))]
        return category.decider.fold(events)


goods_return: Final[Reaction[Outside]] = Reaction(
    GROUP,
    ORDER.only(LinesReturned) | PAYMENT.only(PaymentRefunded),
    lambda tools: (
        GoodsReturn(
            tools.event_store, tools.dispatch, tools.outside.payment_provider, tools.clock
        ).handle
    ),
)
