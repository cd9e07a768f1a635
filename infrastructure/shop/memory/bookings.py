"""The books of a simulated carrier: what it can be asked, and the rules it goes by."""

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from application.ports import Declined, Done
from application.shop.ports import Booked, BookingOnBooks
from domain.shop_values import OrderId
from domain.values import Text
from infrastructure.providers.simulated.faults import Subject
from infrastructure.providers.simulated.ledger import Answer, Call, Entry, Refusal

# ── what it is asked ─────────────────────────────────────────────────────────────────────────────


class Book(Call):
    order_id: OrderId
    country: Text | None
    parcels: int


class Cancel(Call):
    booking: str


CarrierCall = Book | Cancel

# ── how it decides ───────────────────────────────────────────────────────────────────────────────


class Bookings:
    """The books of a carrier."""

    def __init__(self) -> None:
        self._bookings: dict[str, BookingOnBooks] = {}
        self._cancelled: set[str] = set()

    @property
    def bookings(self) -> Mapping[str, BookingOnBooks]:
        """Every booking ever taken, by its key."""
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

    def enter(self, entry: Entry[CarrierCall, Booked]) -> None:
        match entry.call, entry.answer:
            case Book() as book, Booked(tracking_code=code):
                self._bookings[entry.key] = BookingOnBooks(
                    entry.key, book.order_id, book.country, book.parcels, code, cancelled=False
                )
            case Cancel(booking=name), Done():
                self._cancel(name)

    def subject(self, key: str, call: CarrierCall) -> Subject:
        match call:
            case Book(order_id=order_id):
                return Subject("book", key, order_id)
            case Cancel(booking=name):
                booking = self._bookings.get(name)
                return Subject("cancel", key, booking.order_id if booking else None)
            case _:
                assert_never(call)

    def _cancel(self, name: str) -> None:
        self._cancelled.add(name)
        if booking := self._bookings.get(name):
            self._bookings[name] = replace(booking, cancelled=True)
