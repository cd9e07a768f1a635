"""The contract of ``Carrier``, and of ``Audit`` as far as it shows bookings."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from application.ports import Declined, Done, OutcomeUnknown, ProviderRefused, ProviderUnavailable
from application.shop.ports import Booked, BookingRecord, Carrier
from infrastructure.providers.simulated import Fault
from infrastructure.providers.simulated.faults import Kind
from tests.outside import Outside, found

Call = Callable[[Carrier, str, str], Awaitable[object]]

CALLS: dict[str, Call] = {  # each with a booking that is there
    "book": lambda carrier, key, _: carrier.book(key, "o-1", "France", 2),
    "cancel": lambda carrier, key, booked: carrier.cancel(key, booked),
}


@pytest.fixture(params=CALLS)
def call(request: pytest.FixtureRequest) -> str:
    """Every call that acts, one after the other."""
    name: str = request.param
    return name


def fresh() -> str:
    return f"k-{uuid4()}"


async def booked(outside: Outside) -> str:
    """The name of a booking."""
    name = fresh()
    await outside.carrier.book(name, "o-1", "France")
    return name


async def on_books(outside: Outside, *keys: str) -> list[BookingRecord]:
    return [booking for booking in await outside.audit.bookings() if booking.key in keys]


async def effect(outside: Outside, call: str, key: str, name: str) -> bool:
    """Whether the call with that key has acted."""
    books = {booking.key: booking for booking in await on_books(outside, key, name)}
    return key in books if call == "book" else books[name].cancelled


async def test_parcels_are_booked(outside: Outside) -> None:
    """The carrier's records show the shipment, the address and the number of units."""
    key, elsewhere = fresh(), fresh()

    first = await outside.carrier.book(key, "o-1", "France", 2)
    second = await outside.carrier.book(elsewhere, "o-2", None)

    assert isinstance(first, Booked)
    assert isinstance(second, Booked)
    assert first.tracking_code != second.tracking_code
    assert await on_books(outside, key, elsewhere) == [
        BookingRecord(key, "o-1", "France", 2, first.tracking_code, cancelled=False),
        BookingRecord(elsewhere, "o-2", None, 1, second.tracking_code, cancelled=False),
    ]


async def test_a_booking_can_be_cancelled(outside: Outside) -> None:
    """Cancelling it again, under another key, changes nothing."""
    key = await booked(outside)

    await outside.carrier.cancel(fresh(), key)
    await outside.carrier.cancel(fresh(), key)

    assert [booking.cancelled for booking in await on_books(outside, key)] == [True]


async def test_a_booking_of_nothing_is_refused(outside: Outside) -> None:
    """It is refused with a reason, and stays refused under its key."""
    key = fresh()

    with pytest.raises(ProviderRefused) as refused:
        await outside.carrier.book(key, "o-1", "France", 0)
    with pytest.raises(ProviderRefused):
        await outside.carrier.find(key)

    assert refused.value.reason
    assert await on_books(outside, key) == []


async def test_a_call_that_is_repeated_acts_once(outside: Outside, call: str) -> None:
    """Calls with one key and content get the first answer, however many, also at the same time."""
    key, name = fresh(), await booked(outside)

    answers = await asyncio.gather(*(CALLS[call](outside.carrier, key, name) for _ in range(10)))

    assert len(set(answers)) == 1
    assert await effect(outside, call, key, name)
    assert len(await on_books(outside, key)) == (call == "book")


async def test_a_key_stands_for_one_call(outside: Outside) -> None:
    """The key with another content is refused, and nothing happens."""
    key = await booked(outside)

    for ask in (outside.carrier.book(key, "o-2", "France"), outside.carrier.cancel(key, key)):
        with pytest.raises(ProviderRefused):
            await ask

    (booking,) = await on_books(outside, key)
    assert (booking.order_id, booking.cancelled) == ("o-1", False)


async def test_keys_of_two_providers_are_independent(outside: Outside) -> None:
    """A key that is used with one is unknown to the other."""
    key = await booked(outside)

    assert await outside.payment_provider.find(key) is None


async def test_the_answer_to_a_call_can_be_found(outside: Outside, call: str) -> None:
    """``find`` returns nothing before the call, and its answer afterwards."""
    key, name = fresh(), await booked(outside)
    assert await outside.carrier.find(key) is None

    answer = await CALLS[call](outside.carrier, key, name)

    assert await outside.carrier.find(key) == (answer or Done())


async def test_what_was_cancelled_before_it_came_is_never_booked(outside: Outside) -> None:
    """After an unknown outcome, cancelling makes sure that the parcel is never booked, even if the
    call arrives later."""
    key = fresh()

    await outside.carrier.cancel(fresh(), key)

    assert isinstance(await outside.carrier.book(key, "o-1", "France"), Declined)
    assert await on_books(outside, key) == []


async def test_an_address_can_be_declined(outside: Outside) -> None:
    """Declining is an answer, and final under its key."""
    order_id, key = fresh(), fresh()
    await outside.set_faults(Fault(kind="decline", order_id=order_id, reason="no ferry", times=1))

    assert await outside.carrier.book(key, order_id, "Iceland") == Declined("no ferry")
    assert await outside.carrier.book(key, order_id, "Iceland") == Declined("no ferry")
    assert await outside.carrier.find(key) == Declined("no ferry")
    assert isinstance(await outside.carrier.book(fresh(), order_id, "Iceland"), Booked)


async def test_unavailable_means_nothing_has_happened(outside: Outside, call: str) -> None:
    """The same call, repeated later, is carried out."""
    key, name = fresh(), await booked(outside)
    await outside.set_faults(Fault(kind="unavailable", call=call, times=1))

    with pytest.raises(ProviderUnavailable):
        await CALLS[call](outside.carrier, key, name)
    assert await outside.carrier.find(key) is None
    assert not await effect(outside, call, key, name)

    await CALLS[call](outside.carrier, key, name)
    assert await effect(outside, call, key, name)


@pytest.mark.parametrize("kind", ["drop", "late", "slow"])
async def test_an_unknown_outcome_may_be_an_effect(outside: Outside, call: str, kind: Kind) -> None:
    """The carrier acts, now or later, without an answer. The result can be found, and the call can
    be repeated."""
    key, name = fresh(), await booked(outside)
    await outside.set_faults(Fault(kind=kind, call=call, seconds=1, times=1))

    with pytest.raises(OutcomeUnknown):
        await CALLS[call](outside.impatient_carrier, key, name)

    answer = await found(outside.carrier, key)
    assert await effect(outside, call, key, name)
    assert (await CALLS[call](outside.carrier, key, name) or Done()) == answer


async def test_a_call_that_arrives_twice_acts_once(outside: Outside, call: str) -> None:
    """If the network duplicates a call, the second answer is the first one."""
    key, name = fresh(), await booked(outside)
    await outside.set_faults(Fault(kind="twice", call=call))

    answer = await CALLS[call](outside.carrier, key, name)

    assert await outside.carrier.find(key) == (answer or Done())
    assert len(await on_books(outside, key, name)) == 1 + (call == "book")
