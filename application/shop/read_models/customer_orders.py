"""Customers, and their orders page by page: what was ordered, paid, sent and sent back.

Two kinds of documents, each of a constant size however much a customer orders. What all orders of
a customer come to has the key ``customer/17850``, and grows only with the currencies they pay in.
Each order has one of its own, ``order/17850/2011-12-09T12:50:00.000000/581587``: those of one
customer are next to one another, the oldest first. An event changes at most one of each kind.

What is known of a payment or a shipment waits until the order says whose it is. Orders of guests
belong to no document.
"""

from collections.abc import Collection, Sequence
from datetime import UTC

from pydantic import AwareDatetime

from application.messages import RecordedEvent
from application.projections.projection import Change, Parts, Projection, View
from application.shop.aggregates import ORDER, PAYMENT, SHIPMENT
from application.shop.read_models.known_of_order import KnownOfOrder, evolve_known
from application.shop.read_models.sold_order import SoldOrder, by_currency
from domain.orders import OrderStatus
from domain.shop_values import CustomerId, OrderId
from domain.values import Money, Text

CUSTOMERS = "customer/"
"""What the keys of all customers begin with."""


def orders_of(customer: CustomerId) -> str:
    """What the keys of all orders of that customer begin with."""
    return f"order/{customer}/"


class Customer(View):
    """What all orders of a customer come to."""

    customer_id: CustomerId
    order_count: int = 0
    units: int = 0
    totals: tuple[Money, ...] = ()  # as ordered, cancelled orders too, in each currency
    returned: tuple[Money, ...] = ()
    first_order: AwareDatetime
    last_order: AwareDatetime


class CustomersOrder(View):
    """One order, as its customer looks at it."""

    order_id: OrderId
    placed_at: AwareDatetime
    status: OrderStatus
    country: Text | None
    units: int
    total: Money
    returned: Money
    payment: str | None  # a status of domain/payments.py; None: nothing is known of one
    refunded: bool
    shipment: str | None  # likewise


class CustomerDocument(View):
    """A customer, or an order of one."""

    customer: Customer | None = None
    order: CustomersOrder | None = None


def _keys(recorded: RecordedEvent) -> Collection[str]:
    return (recorded.stream_id,)


def _views(known: KnownOfOrder) -> Collection[str]:
    order = known.order
    if order is None or order.customer_id is None:
        return ()
    placed_at = order.placed_at.astimezone(UTC).replace(tzinfo=None)
    place = f"{placed_at.isoformat(timespec='microseconds')}/{order.order_id}"
    return (CUSTOMERS + order.customer_id, orders_of(order.customer_id) + place)


def _gather(
    key: str, document: CustomerDocument | None, changes: Sequence[Change[KnownOfOrder]]
) -> CustomerDocument | None:
    if not key.startswith(CUSTOMERS):
        return _of(changes[-1].after)
    before = customer = document.customer if document else None
    for change in changes:
        was, is_ = (known.order if known else None for known in change)
        if was == is_:
            continue  # it was about payment or shipment
        if was and customer:
            customer = _added(customer, was, -1)
        if is_:
            customer = _added(customer or _new(is_), is_, +1)
    if customer is before:
        return document
    return CustomerDocument(customer=customer) if customer and customer.order_count else None


def _of(known: KnownOfOrder | None) -> CustomerDocument | None:
    if known is None or (order := known.order) is None:
        return None
    shown = CustomersOrder(
        order_id=order.order_id,
        placed_at=order.placed_at,
        status=known.status,
        country=order.country,
        units=order.units,
        total=order.gross,
        returned=order.returned,
        payment=known.payment,
        refunded=known.refunded,
        shipment=known.shipment,
    )
    return CustomerDocument(order=shown)


def _new(order: SoldOrder) -> Customer:
    assert order.customer_id is not None  # else it belongs to no document
    placed = order.placed_at
    return Customer(customer_id=order.customer_id, first_order=placed, last_order=placed)


def _added(customer: Customer, order: SoldOrder, times: int) -> Customer:
    return customer.model_copy(
        update={
            "order_count": customer.order_count + times,
            "units": customer.units + order.units * times,
            "totals": by_currency((*customer.totals, order.gross * times)),
            "returned": by_currency((*customer.returned, order.returned * times)),
            "first_order": min(customer.first_order, order.placed_at),
            "last_order": max(customer.last_order, order.placed_at),
        }
    )


customer_orders = Projection(
    name="customer_orders",
    version=2,  # an order of a customer is a document of its own
    view=CustomerDocument,
    follows=(ORDER, PAYMENT, SHIPMENT),
    parts=Parts(part=KnownOfOrder, keys=_keys, evolve=evolve_known, views=_views, gather=_gather),
)
