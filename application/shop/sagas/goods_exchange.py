"""An exchange of goods: theirs come back, ours go out, the difference is charged or given back.

| step                 | what it does                              | undone by                    |
|----------------------|-------------------------------------------|------------------------------|
| request exchange     | nothing: the customer has asked for it    | closing the exchange         |
| claim lines          | the order holds them back from returns    | freeing them                 |
| check replacement    | *checks* that the shelf has enough of it  | (leaves nothing)             |
| await goods          | *waits* for them, 14 days at most         | taking them as a return      |
| reserve replacement  | so many of each SKU, over all its lines   | releasing each of them       |
| authorise difference | the provider holds what is to be paid     | letting go                   |
| book shipment        | the carrier fetches the parcel            | cancelling the booking       |
| approve exchange     | the warehouse may send the replacement    | closing the exchange         |
| await dispatch       | *waits* until it has left, 7 days at most | closing, refused from now on |
| move goods           | takes ours off the shelf, puts theirs on  | (a person, from here on)     |
| settle difference    | the provider takes it, or gives it back   |                              |
| complete exchange    | the exchange is done                      |                              |

The dispatch is the point of no return. The exchange itself decides between two that come at once:
what it has closed cannot be sent, and what has been sent cannot be closed. Goods that have come
back for an exchange that fails are a return: they are paid back and restocked as such
(``reactions/goods_return.py``). Payment, shipment and reservation have the exchange's own id; what
is given back was paid with the order.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from application.messages import RecordedEvent
from application.sagas.actions import Action, Dispatch
from application.sagas.saga import Check, Facts, Saga, Step, Wait, nothing, within
from application.shop.reactions.goods_return import receipt_id
from application.shop.sagas.carrier_calls import BookShipment, CancelShipment
from application.shop.sagas.payment_calls import (
    AuthorisePayment,
    CapturePayment,
    RefundPart,
    ReturnPayment,
)
from domain import stock
from domain.exchanges import (
    ApproveExchange,
    CloseExchange,
    CompleteExchange,
    ExchangeClosed,
    ExchangeRequested,
    GoodsBack,
    GoodsReceived,
    Replacement,
    ReplacementSent,
)
from domain.orders import ClaimLines, FreeLines, ReturnedLine, ReturnLines
from domain.shop_values import ExchangeId, OrderId, Quantity, Sku
from domain.stock import DispatchStock, OutOfStock, ReceiveStock, ReleaseStock, ReserveStock
from domain.values import Money, Text

GOODS_COME_WITHIN: Final = timedelta(days=14)
SENT_WITHIN: Final = timedelta(days=7)
REASON: Final = 200  # characters that a closed exchange has for its reason


class Exchange(Facts):
    """What has to be known of an exchange to carry it out."""

    exchange_id: ExchangeId
    order_id: OrderId
    lines: tuple[ReturnedLine, ...]  # of the order
    back: Mapping[Sku, Quantity]  # the units of these lines
    replacement: Mapping[Sku, Quantity]
    difference: Money  # to be paid; below zero: to be given back
    country: Text | None

    @property
    def to_pay(self) -> bool:
        return self.difference.amount > 0


def started_by(recorded: RecordedEvent) -> Exchange:
    """What a request for an exchange comes to."""
    requested = recorded.event
    assert isinstance(requested, ExchangeRequested)  # nothing else starts it
    return Exchange(
        exchange_id=recorded.stream_id,
        order_id=requested.order_id,
        lines=tuple(ReturnedLine(line=of.line, quantity=of.quantity) for of in requested.back),
        back=_units(requested.back),
        replacement=_units(requested.replacements),
        difference=requested.difference,
        country=requested.country,
    )


def _units(lines: Iterable[GoodsBack | Replacement]) -> Mapping[Sku, int]:
    units: Counter[Sku] = Counter()
    for line in lines:
        units[line.sku] += line.quantity
    return dict(units)


# ── steps ────────────────────────────────────────────────────────────────────────────────────────


def close(exchange: Exchange, reason: str) -> Sequence[Action]:
    return [Dispatch(exchange.exchange_id, CloseExchange(reason=reason[:REASON]))]


def claim(exchange: Exchange) -> Sequence[Action]:
    command = ClaimLines(exchange_id=exchange.exchange_id, lines=exchange.lines)
    return [Dispatch(exchange.order_id, command)]


def free(exchange: Exchange, _: str) -> Sequence[Action]:
    return [Dispatch(exchange.order_id, FreeLines(exchange_id=exchange.exchange_id))]


def available(exchange: Exchange) -> Sequence[Check]:
    return [
        Check(f"stock-{sku}", stock.decider, partial(require_available, quantity))
        for sku, quantity in sorted(exchange.replacement.items())
    ]


def require_available(quantity: int, held: stock.Stock) -> None:
    """Raises ``OutOfStock`` where less than that can be promised."""
    if held.available < quantity:
        raise OutOfStock(f"{quantity} are wanted, {max(held.available, 0)} are available")


def take_as_return(exchange: Exchange, reason: str) -> Sequence[Action]:
    """Freed first: lines that are claimed cannot be returned."""
    back = ReturnLines(return_id=exchange.exchange_id, lines=exchange.lines)
    return [*free(exchange, reason), Dispatch(exchange.order_id, back)]


def reserve(exchange: Exchange) -> Sequence[Action]:
    return [
        Dispatch(sku, ReserveStock(order_id=exchange.exchange_id, quantity=quantity))
        for sku, quantity in sorted(exchange.replacement.items())
    ]


def release(exchange: Exchange, _: str) -> Sequence[Action]:
    command = ReleaseStock(order_id=exchange.exchange_id)
    return [Dispatch(sku, command) for sku in sorted(exchange.replacement)]


def authorise(exchange: Exchange) -> Sequence[Action]:
    if not exchange.to_pay:
        return nothing(exchange)
    return [AuthorisePayment(exchange.exchange_id, exchange.order_id, exchange.difference)]


def return_payment(exchange: Exchange, _: str) -> Sequence[Action]:
    if not exchange.to_pay:
        return nothing(exchange)
    return [ReturnPayment(exchange.exchange_id, exchange.order_id, exchange.difference)]


def book(exchange: Exchange) -> Sequence[Action]:
    return [BookShipment(exchange.exchange_id, exchange.order_id, exchange.country)]


def cancel_booking(exchange: Exchange, _: str) -> Sequence[Action]:
    return [CancelShipment(exchange.exchange_id, exchange.order_id, exchange.country)]


def approve(exchange: Exchange) -> Sequence[Action]:
    return [Dispatch(exchange.exchange_id, ApproveExchange())]


def move_goods(exchange: Exchange) -> Sequence[Action]:
    sent = DispatchStock(order_id=exchange.exchange_id)
    receipt = receipt_id(exchange.order_id, exchange.exchange_id)  # as if they were returned
    return [
        *(Dispatch(sku, sent) for sku in sorted(exchange.replacement)),
        *(
            Dispatch(sku, ReceiveStock(receipt_id=receipt, quantity=quantity))
            for sku, quantity in sorted(exchange.back.items())
        ),
    ]


def settle_difference(exchange: Exchange) -> Sequence[Action]:
    difference = exchange.difference
    if exchange.to_pay:
        return [CapturePayment(exchange.exchange_id, difference)]
    if difference.amount == 0:
        return nothing(exchange)
    to_give_back = Money.zero(difference.currency) - difference
    return [RefundPart(exchange.order_id, exchange.exchange_id, to_give_back)]


def complete(exchange: Exchange) -> Sequence[Action]:
    return [Dispatch(exchange.exchange_id, CompleteExchange())]


_GOODS: Final = Wait[Exchange](within(GOODS_COME_WITHIN), GoodsReceived)
_DISPATCH: Final = Wait[Exchange](within(SENT_WITHIN), ReplacementSent)

goods_exchange: Final = Saga(
    name="goods_exchange",
    version=1,
    facts=Exchange,
    steps=(
        Step("request exchange", undo=close),
        Step("claim lines", claim, free),
        Step("check replacement", checks=available),
        Step("await goods", undo=take_as_return, in_order=True, waits=_GOODS),
        Step("reserve replacement", reserve, release),
        Step("authorise difference", authorise, return_payment),
        Step("book shipment", book, cancel_booking),
        Step("approve exchange", approve, close),
        Step("await dispatch", undo=close, waits=_DISPATCH),
        Step("move goods", move_goods),
        Step("settle difference", settle_difference),
        Step("complete exchange", complete, close),
    ),
    no_return="await dispatch",
    starts=ExchangeRequested,
    started_by=started_by,
    cancels=ExchangeClosed,
)
