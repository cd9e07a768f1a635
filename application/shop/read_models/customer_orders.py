"""A customer with all orders in one document: what was ordered, paid, sent and sent back.

Key: the customer. It takes events of three categories, in whatever order their streams come: an
order's payment and shipment have the order's id, so what is known of one meets in one part, and
waits there until the order says whose it is. Orders of guests belong to no document.
"""

from collections.abc import Collection
from datetime import datetime
from typing import assert_never, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict

from application.category import split
from application.messages import RecordedEvent
from application.projections.projection import Parts, Projection, View
from application.shop.aggregates import ORDER, PAYMENT, SHIPMENT
from application.shop.read_models.sold_order import SoldOrder, by_currency, evolve_sold
from domain import payments, shipments
from domain.orders import OrderStatus
from domain.shop_values import CustomerId, OrderId
from domain.values import Money, Text


class CustomersOrder(BaseModel):
    """One order, as its customer looks at it."""

    model_config = ConfigDict(frozen=True)

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


class CustomerOrders(View):
    customer_id: CustomerId
    order_count: int = 0
    units: int = 0
    totals: tuple[Money, ...] = ()  # as ordered, cancelled orders too, in each currency
    returned: tuple[Money, ...] = ()
    first_order: AwareDatetime
    last_order: AwareDatetime
    orders: tuple[CustomersOrder, ...] = ()  # the oldest first


class KnownOfOrder(View):
    """What the events of three streams hold about an order so far."""

    order: SoldOrder | None = None
    payment: payments.PaymentStatus | None = None
    refunded: bool = False
    shipment: shipments.ShipmentStatus | None = None


def _keys(recorded: RecordedEvent) -> Collection[str]:
    return (recorded.stream_id,)


def _evolve(known: KnownOfOrder | None, recorded: RecordedEvent) -> KnownOfOrder:
    known = known or KnownOfOrder()
    match split(recorded.stream)[0]:
        case "order":
            return known.model_copy(update={"order": evolve_sold(known.order, recorded)})
        case "payment":
            return _paid(known, cast("payments.PaymentEvent", recorded.event))
        case _:
            status = _sent(cast("shipments.ShipmentEvent", recorded.event))
            return known.model_copy(update={"shipment": status})


def _paid(known: KnownOfOrder, event: payments.PaymentEvent) -> KnownOfOrder:
    match event:
        case payments.PaymentAuthorised():
            return known.model_copy(update={"payment": payments.PaymentStatus.AUTHORISED})
        case payments.PaymentDeclined():
            return known.model_copy(update={"payment": payments.PaymentStatus.DECLINED})
        case payments.PaymentCaptured():
            return known.model_copy(update={"payment": payments.PaymentStatus.CAPTURED})
        case payments.PaymentVoided():
            return known.model_copy(update={"payment": payments.PaymentStatus.VOIDED})
        case payments.PaymentRefunded():
            return known.model_copy(update={"refunded": True})
        case _:
            assert_never(event)


def _sent(event: shipments.ShipmentEvent) -> shipments.ShipmentStatus:
    match event:
        case shipments.ShipmentBooked():
            return shipments.ShipmentStatus.BOOKED
        case shipments.ShipmentHandedOver():
            return shipments.ShipmentStatus.HANDED_OVER
        case shipments.ShipmentDelivered():
            return shipments.ShipmentStatus.DELIVERED
        case shipments.ShipmentFailed():
            return shipments.ShipmentStatus.FAILED
        case shipments.ShipmentCancelled():
            return shipments.ShipmentStatus.CANCELLED
        case _:
            assert_never(event)


def _views(known: KnownOfOrder) -> Collection[str]:
    customer = known.order.customer_id if known.order else None
    return () if customer is None else (customer,)


def _gather(
    customer: str,
    document: CustomerOrders | None,
    before: KnownOfOrder | None,
    after: KnownOfOrder | None,
) -> CustomerOrders | None:
    gone = before.order.order_id if before and before.order else None
    others = [one for one in (document.orders if document else ()) if one.order_id != gone]
    new = [_of(after.order, after)] if after and after.order else []
    return _document(customer, sorted([*others, *new], key=_by_time))


def _by_time(order: CustomersOrder) -> tuple[datetime, str]:
    return order.placed_at, order.order_id


def _of(order: SoldOrder, known: KnownOfOrder) -> CustomersOrder:
    return CustomersOrder(
        order_id=order.order_id,
        placed_at=order.placed_at,
        status=order.status,
        country=order.country,
        units=order.units,
        total=order.gross,
        returned=order.returned,
        payment=known.payment,
        refunded=known.refunded,
        shipment=known.shipment,
    )


def _document(customer: str, orders: list[CustomersOrder]) -> CustomerOrders | None:
    if not orders:
        return None
    return CustomerOrders(
        customer_id=customer,
        order_count=len(orders),
        units=sum(order.units for order in orders),
        totals=by_currency(order.total for order in orders),
        returned=by_currency(order.returned for order in orders),
        first_order=orders[0].placed_at,
        last_order=orders[-1].placed_at,
        orders=tuple(orders),
    )


customer_orders = Projection(
    name="customer_orders",
    version=1,
    view=CustomerOrders,
    follows=(ORDER, PAYMENT, SHIPMENT),
    parts=Parts(part=KnownOfOrder, keys=_keys, evolve=_evolve, views=_views, gather=_gather),
    detail=("orders",),
)
