"""The rules and the records of a simulated carrier."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, assert_never

from application.ports import Declined, Done
from application.shop.ports import Booked, BookingRecord
from infrastructure.providers.simulated.rules import (
    Answer,
    Entry,
    Refusal,
    SimulatedProvider,
    Subject,
)
from infrastructure.shop.providers.carrier import CARRIER, Book, Cancel, CarrierCall


class Bookings:
    """The rules of a carrier, over its bookings."""

    def __init__(self) -> None:
        self._bookings: dict[str, BookingRecord] = {}
        self._cancelled: set[str] = set()

    @property
    def records(self) -> Mapping[str, BookingRecord]:
        return self._bookings

    def decide(self, key: str, call: CarrierCall, decline: str | None) -> Answer[Booked]:
        if isinstance(call, Cancel):
            return Done()
        if call.parcels < 1:
            return Refusal(f"{call.parcels} parcels cannot be fetched")
        if key in self._cancelled:
            return Declined("it was cancelled before it came")
        if decline is not None:
            return Declined(decline)
        return Booked(f"SIM{len(self._bookings) + 1:09}")

    def apply(self, entry: Entry[CarrierCall, Booked]) -> None:
        match entry.call, entry.answer:
            case Book() as book, Booked(tracking_code=code):
                self._bookings[entry.key] = BookingRecord(
                    entry.key, book.order_id, book.country, book.parcels, code, cancelled=False
                )
            case Cancel(booking=name), Done():
                self._cancel(name)

    def subject(self, call: CarrierCall) -> Subject:
        match call:
            case Book(order_id=order_id):
                return Subject({"order_id": order_id})
            case Cancel(booking=name):
                booking = self._bookings.get(name)
                return Subject({"order_id": booking.order_id} if booking else {})
            case _:
                assert_never(call)

    def _cancel(self, name: str) -> None:
        self._cancelled.add(name)
        if booking := self._bookings.get(name):
            self._bookings[name] = replace(booking, cancelled=True)


SIMULATED_CARRIER: Final = SimulatedProvider(
    CARRIER, Bookings, about=("order_id",), declines="declined by the carrier"
)
