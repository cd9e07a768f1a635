"""What is known of an order: from its own stream, and those of its payment and its shipment.

A part of :mod:`~application.shop.read_models.customer_orders`. Payment and shipment have the
order's id, so events of all three meet here, in whatever order their streams come.
"""

from typing import assert_never, cast

from application.category import split
from application.messages import RecordedEvent
from application.projections.projection import View
from application.shop.read_models.sold_order import SoldOrder, evolve_sold
from domain import orders, payments, shipments
from domain.orders import OrderStatus


class KnownOfOrder(View):
    """What the events of three streams hold about an order so far."""

    order: SoldOrder | None = None
    status: OrderStatus = OrderStatus.PLACED
    payment: payments.PaymentStatus | None = None
    refunded: bool = False
    shipment: shipments.ShipmentStatus | None = None


def evolve_known(known: KnownOfOrder | None, recorded: RecordedEvent) -> KnownOfOrder:
    known = known or KnownOfOrder()
    match split(recorded.stream)[0]:
        case "order":
            return _ordered(known, recorded)
        case "payment":
            return _paid(known, cast("payments.PaymentEvent", recorded.event))
        case _:
            status = _sent(cast("shipments.ShipmentEvent", recorded.event))
            return known.model_copy(update={"shipment": status})


def _ordered(known: KnownOfOrder, recorded: RecordedEvent) -> KnownOfOrder:
    status = status_after(cast("orders.OrderEvent", recorded.event)) or known.status
    order = evolve_sold(known.order, recorded)
    return known.model_copy(update={"order": order, "status": status})


def status_after(event: orders.OrderEvent) -> OrderStatus | None:
    """The one that an order has after this event; ``None``: the same as before."""
    match event:
        case orders.OrderPlaced():
            return OrderStatus.PLACED
        case orders.OrderConfirmed():
            return OrderStatus.CONFIRMED
        case orders.OrderShipped():
            return OrderStatus.SHIPPED
        case orders.OrderDelivered():
            return OrderStatus.DELIVERED
        case orders.OrderCancelled():
            return OrderStatus.CANCELLED
        case orders.LinesReturned() | orders.LinesClaimed() | orders.LinesFreed():
            return None
        case orders.RecipientNamed():
            return None
        case _:
            assert_never(event)


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
