"""What the shop receives: the carrier reports parcels that have arrived, or will not."""

from typing import Final

from application.integration_events import IntegrationEvent
from application.receiving.incoming import Incoming
from application.shop.warehouse import delivered, failed
from domain.shipments import DeliverShipment, FailShipment
from domain.shop_values import ShipmentId
from domain.values import Name, Text


class ParcelDelivered(IntegrationEvent, name="parcel.delivered"):
    """The parcel has arrived. ``shipment_id`` is the reference under which it was booked."""

    shipment_id: ShipmentId
    tracking_code: Name


class ParcelFailed(IntegrationEvent, name="parcel.failed"):
    """The parcel will not arrive."""

    shipment_id: ShipmentId
    tracking_code: Name
    reason: Text | None = None


def _deliver(event: ParcelDelivered) -> list[tuple[str, DeliverShipment]]:
    return [(event.shipment_id, delivered(event.tracking_code))]


def _fail(event: ParcelFailed) -> list[tuple[str, FailShipment]]:
    return [(event.shipment_id, failed(event.tracking_code, event.reason))]


CARRIER: Final = Incoming(
    publisher="carrier",
    topics=("carrier.parcel",),
    handlers={ParcelDelivered: _deliver, ParcelFailed: _fail},
)
RECEIVED: Final = (CARRIER,)
