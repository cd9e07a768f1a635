"""Order fulfilment: hold the goods, hold the money, book the parcel, take the money, confirm.

| step              | asks                                     | undone by                      |
|-------------------|------------------------------------------|--------------------------------|
| place order       | nothing: the customer has placed it      | cancelling the order           |
| reserve stock     | so many of each SKU, over all its lines  | releasing each of them         |
| authorise payment | the provider to hold what it is worth    | letting go, or giving back     |
| book shipment     | the carrier to fetch the parcel          | cancelling the booking         |
| capture payment   | the provider to take what it holds       | (the authorisation's undoing)  |
| confirm order     | the order to stand                       | cancelling the order           |

Capturing is the point of no return. An order that is cancelled by its customer has all undone, at
any time before it ships. Payment and shipment have the order's own id.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from application.messages import RecordedEvent
from application.sagas.actions import Action, Dispatch
from application.sagas.saga import Facts, Saga, Step, nothing
from application.shop.sagas.carrier_calls import BookShipment, CancelShipment
from application.shop.sagas.payment_calls import AuthorisePayment, CapturePayment, ReturnPayment
from domain.orders import CancelOrder, ConfirmOrder, OrderCancelled, OrderPlaced
from domain.shop_values import OrderId, Quantity, Sku
from domain.stock import ReleaseStock, ReserveStock
from domain.values import Money, Text

REASON: Final = 200  # characters that a cancelled order has for its reason


class Fulfilment(Facts):
    """What has to be known of an order to fulfil it."""

    order_id: OrderId
    units: Mapping[Sku, Quantity]  # over all lines; a store may give it back in another order
    worth: Money
    country: Text | None


def started_by(recorded: RecordedEvent) -> Fulfilment | None:
    """What an order's placing says; ``None`` for one from history, which was fulfilled long ago."""
    placed = recorded.event
    assert isinstance(placed, OrderPlaced)  # nothing else starts it
    if placed.from_history:
        return None
    units: Counter[Sku] = Counter()
    worth = Money.zero(placed.lines[0].unit_price.currency)
    for line in placed.lines:
        units[line.sku] += line.quantity
        worth += line.unit_price * line.quantity
    return Fulfilment(
        order_id=recorded.stream_id, units=dict(units), worth=worth, country=placed.country
    )


def reserve(order: Fulfilment) -> Sequence[Action]:
    return [
        Dispatch(sku, ReserveStock(order_id=order.order_id, quantity=quantity))
        for sku, quantity in sorted(order.units.items())
    ]


def release(order: Fulfilment, _: str) -> Sequence[Action]:
    return [Dispatch(sku, ReleaseStock(order_id=order.order_id)) for sku in sorted(order.units)]


def authorise(order: Fulfilment) -> Sequence[Action]:
    if order.worth.amount == 0:
        return nothing(order)
    return [AuthorisePayment(order.order_id, order.order_id, order.worth)]


def return_payment(order: Fulfilment, _: str) -> Sequence[Action]:
    if order.worth.amount == 0:
        return nothing(order)
    return [ReturnPayment(order.order_id, order.order_id, order.worth)]


def book(order: Fulfilment) -> Sequence[Action]:
    return [BookShipment(order.order_id, order.order_id, order.country)]


def cancel_booking(order: Fulfilment, _: str) -> Sequence[Action]:
    return [CancelShipment(order.order_id, order.order_id, order.country)]


def capture(order: Fulfilment) -> Sequence[Action]:
    if order.worth.amount == 0:
        return nothing(order)
    return [CapturePayment(order.order_id, order.worth)]


def confirm(order: Fulfilment) -> Sequence[Action]:
    return [Dispatch(order.order_id, ConfirmOrder())]


def cancel(order: Fulfilment, reason: str) -> Sequence[Action]:
    return [Dispatch(order.order_id, CancelOrder(reason=reason[:REASON]))]


order_fulfilment: Final = Saga(
    name="order_fulfilment",
    version=1,
    facts=Fulfilment,
    steps=(
        Step("place order", nothing, cancel),
        Step("reserve stock", reserve, release),
        Step("authorise payment", authorise, return_payment),
        Step("book shipment", book, cancel_booking),
        Step("capture payment", capture),
        Step("confirm order", confirm, cancel),
    ),
    no_return="capture payment",
    starts=OrderPlaced,
    started_by=started_by,
    cancels=OrderCancelled,
)
"""To change it once it is released, declare the changed one beside it, with the next version.

A running saga keeps the version that it began with. Each is held to its recorded histories
(``tests/shop/contracts/sagas/``).
"""
