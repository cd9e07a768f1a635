"""The contract of ``Carrier``, and of ``Audit`` as far as it shows bookings."""

from collections.abc import Mapping

import pytest

from application.ports import Declined, ProviderRefused
from application.shop.ports import Booked, BookingRecord
from infrastructure.providers.simulated import Fault
from infrastructure.shop.memory.bookings import SIMULATED_CARRIER
from infrastructure.shop.providers import Carrier
from infrastructure.shop.simulated_providers import DECLARED
from tests.contracts.provider_laws import *  # noqa: F403 - every law is a test of this suite
from tests.contracts.provider_laws import Specimen, fresh
from tests.shop.outside import Outside


async def prepare(carrier: Carrier, _: str, name: str) -> None:
    await carrier.book(name, "o-1", "France")


def acted(records: Mapping[str, BookingRecord], call: str, key: str, name: str) -> bool:
    return key in records if call == "book" else records[name].cancelled


SPECIMEN = Specimen(
    declared=DECLARED,
    simulated=SIMULATED_CARRIER,
    port=Carrier,
    grants="book",
    calls={
        "book": lambda carrier, key, name: carrier.book(key, name, "France", 2),
        "cancel": lambda carrier, key, name: carrier.cancel(key, name),
    },
    prepare=prepare,
    acted=acted,
    nonsense=lambda carrier, key, name: carrier.book(key, name, "France", 0),
)


async def booked(outside: Outside) -> str:
    """The name of a booking."""
    name = fresh()
    await outside.carrier.book(name, "o-1", "France")
    return name


async def on_record(outside: Outside, *keys: str) -> list[BookingRecord]:
    return [booking for booking in await outside.audit.bookings() if booking.key in keys]


async def test_parcels_are_booked(outside: Outside) -> None:
    """The carrier's records show the shipment, the address and the number of units."""
    key, elsewhere = fresh(), fresh()

    first = await outside.carrier.book(key, "o-1", "France", 2)
    second = await outside.carrier.book(elsewhere, "o-2", None)

    assert isinstance(first, Booked)
    assert isinstance(second, Booked)
    assert first.tracking_code != second.tracking_code
    assert await on_record(outside, key, elsewhere) == [
        BookingRecord(key, "o-1", "France", 2, first.tracking_code, cancelled=False),
        BookingRecord(elsewhere, "o-2", None, 1, second.tracking_code, cancelled=False),
    ]


async def test_a_booking_can_be_cancelled(outside: Outside) -> None:
    """Cancelling it again, under another key, changes nothing."""
    key = await booked(outside)

    await outside.carrier.cancel(fresh(), key)
    await outside.carrier.cancel(fresh(), key)

    assert [booking.cancelled for booking in await on_record(outside, key)] == [True]


async def test_a_booking_of_nothing_is_refused(outside: Outside) -> None:
    """It is refused with a reason, and stays refused under its key."""
    key = fresh()

    with pytest.raises(ProviderRefused) as refused:
        await outside.carrier.book(key, "o-1", "France", 0)
    with pytest.raises(ProviderRefused):
        await outside.carrier.find(key)

    assert refused.value.reason
    assert await on_record(outside, key) == []


async def test_keys_of_two_providers_are_independent(outside: Outside) -> None:
    """A key that is used with one is unknown to the other."""
    key = await booked(outside)

    assert await outside.payment_provider.find(key) is None


async def test_what_was_cancelled_before_it_came_is_never_booked(outside: Outside) -> None:
    """After an unknown outcome, cancelling makes sure that the parcel is never booked, even if the
    call arrives later."""
    key = fresh()

    await outside.carrier.cancel(fresh(), key)

    assert isinstance(await outside.carrier.book(key, "o-1", "France"), Declined)
    assert await on_record(outside, key) == []


async def test_an_address_can_be_declined(outside: Outside) -> None:
    """A fault declines the bookings of the order that it names, and no other."""
    order_id = fresh()
    await outside.set_faults(Fault(kind="decline", order_id=order_id, reason="no ferry"))

    assert await outside.carrier.book(fresh(), order_id, "Iceland") == Declined("no ferry")
    assert isinstance(await outside.carrier.book(fresh(), "o-1", "Iceland"), Booked)
