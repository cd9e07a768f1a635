"""Large data is kept beside the store, by its hash, and nobody notices."""

from datetime import UTC, datetime
from hashlib import sha256
from uuid import uuid4

import pytest

from application.claim_check import LIMIT, ClaimCheck, EventTooLarge, claim
from application.command_dispatch import CommandDispatch
from application.messages import Context, NewEvent, RecordedEvent
from application.ports import NO_STREAM, PayloadUnavailable
from infrastructure import memory
from tests.sample.service import SAMPLE
from tests.sample.transfers import CancelTransfer, RequestTransfer

CONTEXT = Context.start("a test", uuid4(), datetime(2026, 1, 1, tzinfo=UTC))
LARGE = RequestTransfer(source="a", target="b", amount=6, note="a long story " * 5_000)


def event_of(size: int) -> NewEvent:
    """An event with exactly that many bytes of data."""
    data = b'{"reason":"' + b"x" * (size - 13) + b'"}'
    assert len(data) == size
    return NewEvent(uuid4(), "TransferCancelled", data, CONTEXT.metadata(1))


async def stored(store: memory.EventStore | ClaimCheck, stream: str) -> list[RecordedEvent]:
    return [recorded async for recorded in store.read(stream)]


@pytest.fixture
def store() -> memory.EventStore:
    return memory.EventStore(SAMPLE.catalogue)


@pytest.fixture
def payloads() -> memory.PayloadStore:
    return memory.PayloadStore()


async def test_an_event_at_the_limit_goes_into_the_store(store: memory.EventStore) -> None:
    """Up to the limit, data is kept in the event itself."""
    await ClaimCheck(store, None).append("transfer-1", [event_of(LIMIT)], NO_STREAM)

    [recorded] = await stored(store, "transfer-1")
    assert len(recorded.data) == LIMIT


async def test_one_byte_more_leaves_only_a_reference(
    store: memory.EventStore, payloads: memory.PayloadStore
) -> None:
    """Above the limit, the event holds the hash and the size, and the payload store the data."""
    event = event_of(LIMIT + 1)

    await ClaimCheck(store, payloads).append("transfer-1", [event], NO_STREAM)

    [recorded] = await stored(store, "transfer-1")
    digest = sha256(event.data).hexdigest()
    reference = f'{{"$claimCheck":{{"sha256":"{digest}","size":{LIMIT + 1}}}}}'
    assert recorded.data == reference.encode()
    assert await payloads.get(digest) == event.data


async def test_reading_resolves_the_reference(
    store: memory.EventStore, payloads: memory.PayloadStore
) -> None:
    """Whoever reads through the claim check sees the event as it was written."""
    checked = ClaimCheck(store, payloads)
    large, small = event_of(LIMIT * 3), event_of(100)

    await checked.append("transfer-1", [small, large], NO_STREAM)

    assert [r.data for r in await stored(checked, "transfer-1")] == [small.data, large.data]
    assert [r.version async for r in checked.read("transfer-1", backwards=True, limit=1)] == [1]


async def test_without_a_payload_store_large_data_is_refused_in_words(
    store: memory.EventStore,
) -> None:
    """The refusal names the size, the limit and the setting, and nothing is appended."""
    checked = ClaimCheck(store, None)

    with pytest.raises(EventTooLarge, match=r"30,000 bytes, the limit is 10,000.*payload store"):
        await checked.append("transfer-1", [event_of(100), event_of(30_000)], NO_STREAM)

    assert await stored(store, "transfer-1") == []


async def test_a_lost_payload_is_never_passed_off_as_an_event(
    store: memory.EventStore, payloads: memory.PayloadStore
) -> None:
    """Reading an event whose payload is gone fails; it does not answer with the reference."""
    await ClaimCheck(store, payloads).append("transfer-1", [event_of(LIMIT + 1)], NO_STREAM)

    with pytest.raises(PayloadUnavailable):
        await stored(ClaimCheck(store, memory.PayloadStore()), "transfer-1")
    [recorded] = await stored(store, "transfer-1")
    with pytest.raises(PayloadUnavailable, match="transfer-1@0"):
        await claim(recorded, None)


async def test_a_large_event_is_daily_work(
    store: memory.EventStore, payloads: memory.PayloadStore
) -> None:
    """A command with a long note is carried out, followed and repeated like any other."""
    dispatch = CommandDispatch(ClaimCheck(store, payloads), SAMPLE.catalogue)

    requested = await dispatch("t-1", LARGE, CONTEXT)
    again = await dispatch("t-1", LARGE, CONTEXT)
    later = Context.start("a test", uuid4(), CONTEXT.occurred_at)
    cancelled = await dispatch("t-1", CancelTransfer(reason="too long"), later)

    assert (again.repeated, again.version, again.events) == (True, 0, requested.events)
    assert cancelled.version == 1
    assert max(len(r.data) for r in await stored(store, "transfer-t-1")) < LIMIT
