"""The calls to the carrier: what a step can request, and how each is performed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from application.ports import Declined, ProviderRefused
from application.sagas.actions import OutsideCall
from application.sagas.performing import CallPerformer, Record, answer_of
from application.shop.ports import Booked, Carrier, Outside
from domain import shipments
from domain.shop_values import OrderId, ShipmentId

CARRIER: Final = "the carrier"  # there is one; its name stands in each shipment

# ── what can be asked for ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class BookShipment(OutsideCall):
    """Book the transport, and record it. A declined booking is a refusal."""

    shipment_id: ShipmentId
    order_id: OrderId
    country: str | None


@dataclass(frozen=True)
class CancelShipment(OutsideCall):
    """Cancel the booking, and record it."""

    shipment_id: ShipmentId
    order_id: OrderId
    country: str | None


def booking_key(shipment_id: ShipmentId) -> str:
    """What the carrier knows this shipment by."""
    return f"book:{shipment_id}"


# ── how it is performed ──────────────────────────────────────────────────────────────────────────


def carrier_calls(outside: Outside) -> Sequence[CallPerformer[Any]]:
    """Every call above, performed by the carrier."""
    calls = _Calls(outside.carrier)
    return (
        CallPerformer(BookShipment, calls.book),
        CallPerformer(CancelShipment, calls.cancel),
    )


@dataclass(frozen=True)
class _Calls:
    carrier: Carrier

    async def book(self, call: BookShipment, record: Record) -> None:
        key, carrier = booking_key(call.shipment_id), self.carrier
        booking = carrier.book(key, call.order_id, call.country)
        match await answer_of(booking, carrier.find, key):
            case Booked():
                await record(call.shipment_id, _booked(call), new=True)
            case Declined(reason):
                raise ProviderRefused(reason)

    async def cancel(self, call: CancelShipment, record: Record) -> None:
        """Once it is cancelled, a booking that is late cannot arrive."""
        id, booked, carrier = call.shipment_id, booking_key(call.shipment_id), self.carrier
        await answer_of(carrier.cancel(f"cancel:{id}", booked), carrier.find, f"cancel:{id}")
        if isinstance(await carrier.find(booked), Booked):
            await record(id, _booked(call))
            await record(id, shipments.CancelShipment())


def _booked(call: BookShipment | CancelShipment) -> shipments.BookShipment:
    return shipments.BookShipment(order_id=call.order_id, carrier=CARRIER, country=call.country)
