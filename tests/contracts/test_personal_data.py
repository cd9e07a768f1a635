"""Personal data in events, on every store: encrypted as stored, whole as read, then forgotten."""

from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import pytest

from application.catalogue import Catalogue
from application.claim_check import claim, claim_all, reference, refers
from application.messages import Context, NewEvent, RecordedEvent, UnreadableEvent
from application.personal.protection import ProtectedStore
from application.ports import NO_STREAM, EventStore, Progress, Reading
from domain.personal import MASK
from domain.values import Money
from tests.application.protected import Protection, give
from tests.application.snapped import NOON, Watched, declared
from tests.contracts.made_up import all_of, name
from tests.contracts.stores import Stores
from tests.sample.aggregates import TRANSFER
from tests.sample.service import SAMPLE
from tests.sample.transfers import (
    AlreadyRequested,
    ApproveTransfer,
    RemindOfTransfer,
    RequestTransfer,
    TransferRequested,
)

SECRET: Final = "for the operation"
SMALL: Final = RequestTransfer(source="ann", target="bob", amount=3, note=SECRET)
LARGE: Final = SMALL.model_copy(update={"note": SECRET * 1_000})
SIZES: Final = pytest.mark.parametrize("requested", [SMALL, LARGE], ids=["small", "claim check"])


REMINDERS: Final = [RemindOfTransfer(reminder_id=f"r-{number}") for number in range(3)]
WITH_SNAPSHOTS: Final = declared(every=4)
CONTEXT: Final = Context.start("a test", uuid4(), NOON)
VERSION_1: Final = (
    f'{{"source":"ann","target":"bob","amount":3,"fee":0.5,"note":"{SECRET}"}}'.encode()
)


def of_version_2() -> NewEvent:
    return SAMPLE.catalogue.new_event(TransferRequested(**dict(SMALL)), uuid4(), CONTEXT)


@pytest.fixture
def protection() -> Protection:
    return Protection()


@pytest.fixture
def catalogue(protection: Protection) -> Catalogue:
    return protection.of(SAMPLE.catalogue)


@pytest.fixture
def store(stores: Stores, protection: Protection) -> EventStore:
    return protection.over(stores.events)


async def first(store: EventStore, id: str) -> RecordedEvent:
    return (await all_of(store.read(TRANSFER.stream(id))))[0]


async def notes(stores: Stores, protection: Protection, id: str) -> dict[str, Any]:
    """The note of a transfer, by each way in which its event is read."""
    stream, payloads = TRANSFER.stream(id), protection.payloads
    read = await first(protection.over(stores.events), id)
    browsed = (await stores.browser.stream(stream, Reading(newest_first=False))).items[0]
    (found,) = (await stores.browser.event(read.id)).items
    ways = {"read": read}
    ways["browsed"] = (await claim_all([browsed], payloads))[0]
    ways["found"] = await claim(found, payloads)
    ways["followed"] = await claim(await followed(stores, read), payloads)
    ways["delivered"] = await claim(await delivered(stores, read), payloads)
    return {way: requested(one).note for way, one in ways.items()}


def requested(recorded: RecordedEvent) -> TransferRequested:
    assert isinstance(recorded.event, TransferRequested)
    return recorded.event


async def followed(stores: Stores, wanted: RecordedEvent) -> RecordedEvent:
    async with stores.subscriptions.catch_up(after=None, only=TRANSFER.own) as messages:
        async for message in messages:
            if not isinstance(message, Progress) and message.id == wanted.id:
                return message
    raise AssertionError


async def delivered(stores: Stores, wanted: RecordedEvent) -> RecordedEvent:
    group = name("group")
    await stores.groups.ensure(group, only=TRANSFER.own)
    async with stores.groups.consume(group, only=TRANSFER.own) as deliveries:
        async for delivery in deliveries:
            await delivery.ack()
            if delivery.recorded.id == wanted.id:
                return delivery.recorded
    raise AssertionError


@SIZES
async def test_no_personal_text_is_stored(
    stores: Stores, store: EventStore, protection: Protection, requested: RequestTransfer
) -> None:
    """Neither the event store nor the payload store has any of it in the clear."""
    id = name("t")
    await give(store, id, requested)

    raw = await first(stores.events, id)
    kept = [raw.data, raw.metadata_json]
    if refers(raw):
        kept.append(await protection.payloads.get(reference(raw)))
    assert refers(raw) is (requested is LARGE)
    assert not [data for data in kept if SECRET.encode() in data]


@SIZES
async def test_it_is_read_whole_and_masked_once_forgotten(
    stores: Stores, store: EventStore, protection: Protection, requested: RequestTransfer
) -> None:
    """By every way out of the store: read, followed, delivered to a group, browsed, found."""
    id = name("t")
    await give(store, id, requested)
    assert set((await notes(stores, protection, id)).values()) == {requested.note}

    await protection.forget("ann")

    assert set((await notes(stores, protection, id)).values()) == {MASK}


async def test_decisions_go_on_with_masks(store: EventStore, protection: Protection) -> None:
    """A stream of a forgotten person can be decided upon, and new events about it are masked."""
    id, another = name("t"), name("t")
    await give(store, id, SMALL)
    await protection.forget("ann")

    assert len((await give(store, id, ApproveTransfer())).events) == 1
    with pytest.raises(AlreadyRequested):
        await give(store, id, SMALL)
    await give(store, another, SMALL)

    assert requested(await first(store, another)).note == MASK
    assert await protection.keys.keys(["ann"]) == {}  # it got no other key


async def test_others_are_not_touched(store: EventStore, protection: Protection) -> None:
    """Forgetting one person leaves what is stored about others."""
    anns, bobs = name("t"), name("t")
    await give(store, anns, SMALL)
    await give(store, bobs, SMALL.model_copy(update={"source": "bob"}))

    await protection.forget("ann")

    assert requested(await first(store, anns)).note == MASK
    assert requested(await first(store, bobs)).note == SECRET


async def test_a_repeated_append_changes_nothing(
    stores: Stores, store: EventStore, protection: Protection
) -> None:
    """The same event is encrypted to the same bytes, also by another process."""
    stream, new = TRANSFER.stream(name("t")), of_version_2()
    another_process = ProtectedStore(stores.events, Protection(protection.keys).personal)
    appended = await store.append(stream, [new], NO_STREAM)
    stored = [one.data async for one in stores.events.read(stream)]

    assert await store.append(stream, [new], NO_STREAM) == appended
    assert await another_process.append(stream, [new], NO_STREAM) == appended
    assert [one.data async for one in stores.events.read(stream)] == stored
    sealed = [
        await of.personal.sealed(stream, [new]) for of in (protection, Protection(protection.keys))
    ]
    assert sealed[0] == sealed[1]


async def test_another_key_is_an_error_and_no_mask(stores: Stores, store: EventStore) -> None:
    """An event that cannot be opened with the key of its subject is unreadable."""
    id = name("t")
    await give(store, id, SMALL)
    other = Protection()
    await other.keys.key("ann")

    [opened] = await other.personal.opened([await first(stores.events, id)])
    with pytest.raises(UnreadableEvent, match=r"TransferRequested .* has another key"):
        _ = opened.event


async def test_what_was_stored_in_the_clear_is_read_as_it_is(
    stores: Stores, store: EventStore, protection: Protection
) -> None:
    """Events from before their fields were personal stay readable, also of a forgotten person."""
    id = name("t")
    await give(stores.events, id, SMALL)
    await protection.keys.destroy("ann")

    assert requested(await first(store, id)).note == SECRET


async def test_it_is_opened_before_it_is_lifted(store: EventStore, protection: Protection) -> None:
    """An old version is decrypted in its own form, and then goes through the upcasters."""
    id = name("t")
    old = replace(of_version_2(), data=VERSION_1, metadata=CONTEXT.metadata(1))
    await store.append(TRANSFER.stream(id), [old], NO_STREAM)

    read = requested(await first(store, id))
    await protection.forget("ann")
    masked = requested(await first(store, id))

    assert (read.fee, read.note) == (Money.parse("0.5 EUR"), SECRET)
    assert (masked.fee, masked.note) == (Money.parse("0.5 EUR"), MASK)


async def test_a_snapshot_is_encrypted_like_its_events(
    stores: Stores, store: EventStore, protection: Protection
) -> None:
    """It is used as long as all persons in it have their keys; then all events are read."""
    id, watched = name("t"), Watched(store)
    for command in (SMALL, *REMINDERS):
        await give(store, id, command, WITH_SNAPSHOTS)
    kept = [one.data async for one in stores.events.read(f"snapshot-{TRANSFER.stream(id)}")]
    assert kept
    assert not [data for data in kept if SECRET.encode() in data]

    await give(watched, id, REMINDERS[-1], WITH_SNAPSHOTS)
    assert watched.reads[-1] == (TRANSFER.stream(id), 1)  # after the snapshot

    await protection.forget("ann")
    await give(watched, id, REMINDERS[-1], WITH_SNAPSHOTS)
    assert watched.reads[-1] == (TRANSFER.stream(id), 1 + len(REMINDERS))


async def test_a_snapshot_of_masks_is_one_again(store: EventStore, protection: Protection) -> None:
    """A stream of a forgotten person is snapshotted with masks, which need no key."""
    id, watched = name("t"), Watched(store)
    await give(store, id, SMALL)
    await protection.forget("ann")
    for command in REMINDERS:
        await give(store, id, command, WITH_SNAPSHOTS)

    await give(watched, id, REMINDERS[-1], WITH_SNAPSHOTS)
    assert watched.reads[-1] == (TRANSFER.stream(id), 1)
