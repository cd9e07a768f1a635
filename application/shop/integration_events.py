"""What the shop publishes: the facts that a partner acts on, without what only the shop needs.

Free texts (the reason of a cancellation) and customers are left out: others need neither, and both
are about people. That an imported order was placed is no news, so that is not published. What
happens to it later is.
"""

from typing import Final

from pydantic import BaseModel, ConfigDict

from application.integration_events import IntegrationEvent, Publication
from application.shop.aggregates import ORDER, PAYMENT, SHIPMENT, STOCK
from domain import orders, payments, shipments, stock
from domain.shop_values import (
    Difference,
    LineNumber,
    OrderId,
    PaymentId,
    Quantity,
    RefundId,
    ReturnId,
    ShipmentId,
    Sku,
)
from domain.values import Money, Name, Text

# ── orders ───────────────────────────────────────────────────────────────────────────────────────


class OrderedLine(BaseModel):
    """So many units of one SKU."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    sku: Sku
    quantity: Quantity


class OrderPlaced(IntegrationEvent, name="order.placed"):
    """A customer has ordered."""

    order_id: OrderId
    country: Text | None = None
    lines: tuple[OrderedLine, ...]


class OrderConfirmed(IntegrationEvent, name="order.confirmed"):
    """The order is paid for, its goods are reserved, and it will be shipped."""

    order_id: OrderId


class OrderShipped(IntegrationEvent, name="order.shipped"):
    """The goods have left."""

    order_id: OrderId
    shipment_id: ShipmentId


class OrderDelivered(IntegrationEvent, name="order.delivered"):
    """The goods have arrived."""

    order_id: OrderId


class OrderCancelled(IntegrationEvent, name="order.cancelled"):
    """The order will not be shipped."""

    order_id: OrderId


class ReturnedLine(BaseModel):
    """So many units of one line of the order, counted from 1."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    line: LineNumber
    quantity: Quantity


class OrderReturned(IntegrationEvent, name="order.returned"):
    """Goods of the order came back."""

    order_id: OrderId
    return_id: ReturnId
    lines: tuple[ReturnedLine, ...]


def _placed(id: str, event: orders.OrderPlaced) -> OrderPlaced | None:
    if event.from_history:
        return None
    lines = tuple(OrderedLine(sku=one.sku, quantity=one.quantity) for one in event.lines)
    return OrderPlaced(order_id=id, country=event.country, lines=lines)


def _returned(id: str, event: orders.LinesReturned) -> OrderReturned:
    lines = tuple(ReturnedLine(line=one.line, quantity=one.quantity) for one in event.lines)
    return OrderReturned(order_id=id, return_id=event.return_id, lines=lines)


ORDERS: Final = Publication(
    ORDER,
    {
        orders.OrderPlaced: _placed,
        orders.OrderConfirmed: lambda id, _: OrderConfirmed(order_id=id),
        orders.OrderShipped: lambda id, event: OrderShipped(
            order_id=id, shipment_id=event.shipment_id
        ),
        orders.OrderDelivered: lambda id, _: OrderDelivered(order_id=id),
        orders.OrderCancelled: lambda id, _: OrderCancelled(order_id=id),
        orders.LinesReturned: _returned,
    },
    (OrderPlaced, OrderConfirmed, OrderShipped, OrderDelivered, OrderCancelled, OrderReturned),
)

# ── payments ─────────────────────────────────────────────────────────────────────────────────────


class PaymentAuthorised(IntegrationEvent, name="payment.authorised"):
    """The amount of an order is set aside. It is paid once it is captured."""

    payment_id: PaymentId
    order_id: OrderId
    amount: Money


class PaymentCaptured(IntegrationEvent, name="payment.captured"):
    """The customer has paid."""

    payment_id: PaymentId
    amount: Money


class PaymentRefunded(IntegrationEvent, name="payment.refunded"):
    """The customer got money back."""

    payment_id: PaymentId
    refund_id: RefundId
    amount: Money


PAYMENTS: Final = Publication(
    PAYMENT,
    {
        payments.PaymentAuthorised: lambda id, event: PaymentAuthorised(
            payment_id=id, order_id=event.order_id, amount=event.amount
        ),
        payments.PaymentCaptured: lambda id, event: PaymentCaptured(
            payment_id=id, amount=event.amount
        ),
        payments.PaymentRefunded: lambda id, event: PaymentRefunded(
            payment_id=id, refund_id=event.refund_id, amount=event.amount
        ),
    },
    (PaymentAuthorised, PaymentCaptured, PaymentRefunded),
)

# ── shipments ────────────────────────────────────────────────────────────────────────────────────


class ShipmentBooked(IntegrationEvent, name="shipment.booked"):
    """A carrier will take a parcel of this order."""

    shipment_id: ShipmentId
    order_id: OrderId
    carrier: Name


class ShipmentHandedOver(IntegrationEvent, name="shipment.handed_over"):
    """The carrier has the parcel."""

    shipment_id: ShipmentId
    tracking_code: Name


class ShipmentDelivered(IntegrationEvent, name="shipment.delivered"):
    """The parcel has arrived."""

    shipment_id: ShipmentId


class ShipmentFailed(IntegrationEvent, name="shipment.failed"):
    """The parcel will not arrive."""

    shipment_id: ShipmentId


SHIPMENTS: Final = Publication(
    SHIPMENT,
    {
        shipments.ShipmentBooked: lambda id, event: ShipmentBooked(
            shipment_id=id, order_id=event.order_id, carrier=event.carrier
        ),
        shipments.ShipmentHandedOver: lambda id, event: ShipmentHandedOver(
            shipment_id=id, tracking_code=event.tracking_code
        ),
        shipments.ShipmentDelivered: lambda id, _: ShipmentDelivered(shipment_id=id),
        shipments.ShipmentFailed: lambda id, _: ShipmentFailed(shipment_id=id),
    },
    (ShipmentBooked, ShipmentHandedOver, ShipmentDelivered, ShipmentFailed),
)

# ── stock ────────────────────────────────────────────────────────────────────────────────────────


class AvailabilityChanged(IntegrationEvent, name="stock.availability_changed"):
    """So many more units of a SKU can be ordered; negative: fewer."""

    sku: Sku
    difference: Difference


def _more(id: str, event: stock.StockReceived | stock.StockReleased) -> AvailabilityChanged:
    return AvailabilityChanged(sku=id, difference=event.quantity)


def _fewer(id: str, event: stock.StockReserved | stock.StockWrittenOff) -> AvailabilityChanged:
    return AvailabilityChanged(sku=id, difference=-event.quantity)


STOCKS: Final = Publication(
    STOCK,
    {  # units that are dispatched were reserved, so they were not available before
        stock.StockReceived: _more,
        stock.StockReleased: _more,
        stock.StockReserved: _fewer,
        stock.StockWrittenOff: _fewer,
        stock.StockAdjusted: lambda id, event: AvailabilityChanged(
            sku=id, difference=event.difference
        ),
    },
    (AvailabilityChanged,),
)

PUBLISHED: Final = (ORDERS, PAYMENTS, SHIPMENTS, STOCKS)
