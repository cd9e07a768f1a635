"""What no sequence of commands can break: goods and money are conserved, and things go one way."""

from collections import Counter, defaultdict
from itertools import accumulate, pairwise

from hypothesis import given

from domain import orders, payments, shipments, stock
from domain.decider import Event
from domain.orders import (
    LinesClaimed,
    LinesFreed,
    LinesReturned,
    OrderEvent,
    OrderPlaced,
    RecipientNamed,
)
from domain.payments import PaymentAuthorised, PaymentCaptured, PaymentEvent, PaymentRefunded
from domain.shipments import ShipmentEvent
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
from tests.histories import LAW
from tests.shop.domain.histories import SHOP_HISTORIES

lives = SHOP_HISTORIES.lives

_BESIDE = (RecipientNamed, LinesReturned, LinesClaimed, LinesFreed)


@LAW
@given(history=lives("order"))
def test_no_more_comes_back_than_was_ordered(history: list[OrderEvent]) -> None:
    """Over all returns and exchanges, no line gives back more than was ordered in it."""
    ordered = Counter[int]()
    returned = Counter[int]()
    claims: dict[str, Counter[int]] = {}
    for event in history:
        if isinstance(event, OrderPlaced):
            ordered.update({n: line.quantity for n, line in enumerate(event.lines, start=1)})
        if isinstance(event, LinesReturned):
            for line in event.lines:
                returned[line.line] += line.quantity
        if isinstance(event, LinesClaimed):
            claims[event.exchange_id] = Counter()
            for line in event.lines:
                claims[event.exchange_id][line.line] += line.quantity
        if isinstance(event, LinesFreed):
            del claims[event.exchange_id]
    assert sum(claims.values(), start=returned) <= ordered


@LAW
@given(history=lives("order"))
def test_an_order_goes_one_way(history: list[OrderEvent]) -> None:
    """All but returns and exchanges happens once, in order; what is cancelled never leaves."""
    way = [OrderPlaced, orders.OrderConfirmed, orders.OrderShipped, orders.OrderDelivered]
    cancelled = [[*way[:length], orders.OrderCancelled] for length in (1, 2)]
    steps = [type(event) for event in history if not isinstance(event, _BESIDE)]
    assert steps in [way[: len(steps)], *cancelled]


@LAW
@given(history=lives("stock"))
def test_goods_are_conserved(history: list[StockEvent]) -> None:
    """On hand is what came, less what left and what was lost, more or less what counts found."""
    moved = 0
    for event in history:
        match event:
            case StockReceived(quantity=quantity):
                moved += quantity
            case StockDispatched(quantity=quantity) | StockWrittenOff(quantity=quantity):
                moved -= quantity
            case StockAdjusted(difference=difference):
                moved += difference
    assert stock.decider.fold(history).on_hand == moved


@LAW
@given(history=lives("stock"))
def test_promises_are_conserved(history: list[StockEvent]) -> None:
    """What an order has reserved is later dispatched or released, to the piece."""
    open_promises = Counter[str]()
    for event in history:
        match event:
            case StockReserved(order_id=order_id, quantity=quantity):
                open_promises[order_id] += quantity
            case (
                StockDispatched(order_id=order_id, quantity=quantity)
                | StockReleased(order_id=order_id, quantity=quantity)
            ):
                open_promises[order_id] -= quantity
    assert +open_promises == Counter(stock.decider.fold(history).reserved)
    assert all(quantity >= 0 for quantity in open_promises.values())


@LAW
@given(history=lives("stock"))
def test_only_history_takes_what_is_not_there(history: list[StockEvent]) -> None:
    """Nothing else brings stock below zero or below what is promised, or deeper if it is there."""
    states = list(accumulate(history, stock.evolve, initial=stock.decider.initial))
    for event, (before, after) in zip(history, pairwise(states), strict=True):
        if not (isinstance(event, StockWrittenOff) and event.from_history):
            assert after.on_hand >= min(before.on_hand, 0)
            assert after.available >= min(before.available, 0)


@LAW
@given(history=lives("payment"))
def test_money_is_conserved(history: list[PaymentEvent]) -> None:
    """No more is captured than was authorised, no more refunded than captured, in one currency."""
    moved: dict[type[Event], list[Money]] = defaultdict(list)
    for event in history:
        if isinstance(event, PaymentAuthorised | PaymentCaptured | PaymentRefunded):
            moved[type(event)].append(event.amount)
    authorised, captured, refunded = (
        sum(money.amount for money in moved[kind])
        for kind in (PaymentAuthorised, PaymentCaptured, PaymentRefunded)
    )
    assert refunded <= captured <= authorised
    assert all(money.amount > 0 for amounts in moved.values() for money in amounts)
    assert len({money.currency for amounts in moved.values() for money in amounts}) <= 1


@LAW
@given(history=lives("payment"))
def test_a_payment_goes_one_way(history: list[PaymentEvent]) -> None:
    """Money that was given up is never taken, and nothing happens twice but refunds."""
    way = [PaymentAuthorised, PaymentCaptured]
    others = [[PaymentAuthorised, payments.PaymentVoided], [payments.PaymentDeclined]]
    steps = [type(event) for event in history if not isinstance(event, PaymentRefunded)]
    assert steps in [way[: len(steps)], *others]


@LAW
@given(history=lives("shipment"))
def test_a_shipment_goes_one_way(history: list[ShipmentEvent]) -> None:
    """Everything happens once and in its order, and a parcel comes to one end."""
    way = [
        shipments.ShipmentBooked,
        shipments.ShipmentHandedOver,
        shipments.ShipmentDelivered,
    ]
    others = [[*way[:2], shipments.ShipmentFailed], [*way[:1], shipments.ShipmentCancelled]]
    steps = [type(event) for event in history]
    assert steps in [way[: len(steps)], *others]
