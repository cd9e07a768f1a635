"""A shipment: one parcel on its way to a customer. Stream: ``shipment-<shipment id>``.

    booked → handed over → delivered
       │          └──────→ failed                 lost, refused at the door, sent back
       └──→ cancelled                             only before the carrier has it

The address is not here: it is personal data, and the order has it (``RecipientNamed``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from domain.decider import Command, Decider, DomainError, Event, Missing, replace
from domain.shop_values import OrderId
from domain.values import Name, Text

# ── events ───────────────────────────────────────────────────────────────────────────────────────


class ShipmentBooked(Event):
    order_id: OrderId
    carrier: Name
    country: Text | None = None


class ShipmentHandedOver(Event):
    tracking_code: Name


class ShipmentDelivered(Event):
    pass


class ShipmentFailed(Event):
    reason: Text


class ShipmentCancelled(Event):
    pass


ShipmentEvent = (
    ShipmentBooked | ShipmentHandedOver | ShipmentDelivered | ShipmentFailed | ShipmentCancelled
)

# ── state ────────────────────────────────────────────────────────────────────────────────────────


class ShipmentStatus(StrEnum):
    BOOKED = "booked"
    HANDED_OVER = "handed over"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Shipment:
    booked: ShipmentBooked | None = None
    status: ShipmentStatus | None = None
    tracking_code: Name | None = None


def evolve(shipment: Shipment, event: ShipmentEvent) -> Shipment:
    match event:
        case ShipmentBooked():
            return replace(shipment, booked=event, status=ShipmentStatus.BOOKED)
        case ShipmentHandedOver(tracking_code=tracking_code):
            return replace(shipment, status=ShipmentStatus.HANDED_OVER, tracking_code=tracking_code)
        case ShipmentDelivered():
            return replace(shipment, status=ShipmentStatus.DELIVERED)
        case ShipmentFailed():
            return replace(shipment, status=ShipmentStatus.FAILED)
        case ShipmentCancelled():
            return replace(shipment, status=ShipmentStatus.CANCELLED)
        case _:
            assert_never(event)


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


class BookShipment(Command):
    order_id: OrderId
    carrier: Name
    country: Text | None = None


class HandOverShipment(Command):
    tracking_code: Name


class DeliverShipment(Command):
    """Record that the parcel has arrived. A tracking code must be that of the parcel."""

    tracking_code: Name | None = None


class FailShipment(Command):
    """Record that the parcel will not arrive, and why. A tracking code must be its own."""

    reason: Text
    tracking_code: Name | None = None


class CancelShipment(Command):
    pass


ShipmentCommand = BookShipment | HandOverShipment | DeliverShipment | FailShipment | CancelShipment


class UnknownShipment(Missing):
    """No shipment has been booked under this id."""


class AlreadyBooked(DomainError):
    """Another shipment has been booked under this id."""


class NotHandedOver(DomainError):
    """The carrier does not have the parcel yet."""


class OtherParcel(DomainError):
    """The parcel of this shipment has another tracking code."""


class AlreadyHandedOver(DomainError):
    """The parcel has been handed over to the carrier."""


class AlreadyDelivered(DomainError):
    """The parcel has arrived."""


class AlreadyFailed(DomainError):
    """The parcel will not arrive."""


class AlreadyCancelled(DomainError):
    """The shipment has been cancelled."""


# ── decide ───────────────────────────────────────────────────────────────────────────────────────


def decide(command: ShipmentCommand, shipment: Shipment) -> Sequence[ShipmentEvent]:
    if isinstance(command, BookShipment):
        return _book(command, shipment)
    if shipment.status is None:
        raise UnknownShipment("there is no shipment with this id")
    match command:
        case HandOverShipment(tracking_code=tracking_code):
            return _hand_over(tracking_code, shipment)
        case DeliverShipment(tracking_code=tracking_code):
            _require_parcel(tracking_code, shipment)
            return _deliver(shipment.status)
        case FailShipment(reason=reason, tracking_code=tracking_code):
            _require_parcel(tracking_code, shipment)
            return _fail(reason, shipment.status)
        case CancelShipment():
            return _cancel(shipment)
        case _:
            assert_never(command)


def _book(command: BookShipment, shipment: Shipment) -> Sequence[ShipmentEvent]:
    booked = ShipmentBooked(**dict(command))
    if shipment.booked == booked:
        return []
    if shipment.booked is not None:
        raise AlreadyBooked(
            f"this id is a parcel by {shipment.booked.carrier} for order {shipment.booked.order_id}"
        )
    return [booked]


def _hand_over(tracking_code: Name, shipment: Shipment) -> Sequence[ShipmentEvent]:
    match shipment.status:
        case ShipmentStatus.BOOKED:
            return [ShipmentHandedOver(tracking_code=tracking_code)]
        case ShipmentStatus.CANCELLED:
            raise AlreadyCancelled("a cancelled shipment cannot be handed over")
        case _ if shipment.tracking_code == tracking_code:
            return []
        case _:
            raise AlreadyHandedOver(f"the carrier tracks this parcel as {shipment.tracking_code}")


def _require_parcel(tracking_code: Name | None, shipment: Shipment) -> None:
    if shipment.tracking_code is not None and tracking_code not in (None, shipment.tracking_code):
        raise OtherParcel(f"this parcel is tracked as {shipment.tracking_code}")


def _deliver(status: ShipmentStatus) -> Sequence[ShipmentEvent]:
    match status:
        case ShipmentStatus.BOOKED:
            raise NotHandedOver("the parcel has to be handed over before it is delivered")
        case ShipmentStatus.HANDED_OVER:
            return [ShipmentDelivered()]
        case ShipmentStatus.DELIVERED:
            return []
        case ShipmentStatus.FAILED:
            raise AlreadyFailed("a failed shipment cannot be delivered: book another")
        case ShipmentStatus.CANCELLED:
            raise AlreadyCancelled("a cancelled shipment cannot be delivered")
        case _:
            assert_never(status)


def _fail(reason: str, status: ShipmentStatus) -> Sequence[ShipmentEvent]:
    match status:
        case ShipmentStatus.BOOKED:
            raise NotHandedOver("the carrier does not have the parcel: cancel the shipment instead")
        case ShipmentStatus.HANDED_OVER:
            return [ShipmentFailed(reason=reason)]
        case ShipmentStatus.DELIVERED:
            raise AlreadyDelivered("a delivered shipment cannot fail")
        case ShipmentStatus.FAILED:
            return []
        case ShipmentStatus.CANCELLED:
            raise AlreadyCancelled("a cancelled shipment cannot fail")
        case _:
            assert_never(status)


def _cancel(shipment: Shipment) -> Sequence[ShipmentEvent]:
    match shipment.status:
        case ShipmentStatus.BOOKED:
            return [ShipmentCancelled()]
        case ShipmentStatus.CANCELLED:
            return []
        case _:
            raise AlreadyHandedOver("the carrier has the parcel: the shipment cannot be cancelled")


decider: Decider[ShipmentCommand, Shipment, ShipmentEvent] = Decider(Shipment(), evolve, decide)
