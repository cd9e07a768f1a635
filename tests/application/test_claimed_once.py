"""Followers of one process share the data of large events."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from uuid import uuid4

import pytest

from application.claimed_once import ClaimedOnce
from application.messages import RecordedEvent
from application.ports import NO_STREAM, PayloadUnavailable, StoreUnavailable
from infrastructure import memory
from tests.application.swept import World, large


class Counted(memory.PayloadStore):
    """Counts what is fetched; ``away``: it does not answer."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: Counter[str] = Counter()
        self.away = False

    async def get(self, digest: str) -> bytes:
        self.fetched[digest] += 1
        await asyncio.sleep(0)
        if self.away:
            raise StoreUnavailable(f"no answer for {digest}")
        return await super().get(digest)


@pytest.fixture
def payloads() -> Counted:
    return Counted()


async def events(payloads: Counted, *contents: str) -> Sequence[RecordedEvent]:
    """As they are in the store, with references."""
    world, stream = World(payloads), f"transfer-{uuid4()}"
    await world.writer().append(stream, [large(one) for one in contents], NO_STREAM)
    return [recorded async for recorded in world.events.read(stream)]


async def test_a_payload_is_fetched_once_for_all(payloads: Counted) -> None:
    """For followers that ask at the same time, and for those that come later."""
    recorded = await events(payloads, *"abc")
    claims = ClaimedOnce(payloads)

    first, second = await asyncio.gather(claims.all(recorded), claims.all(recorded))
    third = await claims.all(recorded[1:])

    assert [*payloads.fetched.values()] == [1, 1, 1]
    assert [one.data for one in first] == [large(one).data for one in "abc"]
    assert all(a is b for a, b in zip(first, second, strict=True)), "so it is decoded once"
    assert third == first[1:]


async def test_memory_is_bounded(payloads: Counted) -> None:
    """What was fetched long ago is fetched again."""
    recorded = await events(payloads, *"abc")
    claims = ClaimedOnce(payloads, kept=2 * len(large("a").data))
    await claims.all(recorded)

    await claims.all(recorded[:1])
    await claims.all(recorded[2:])

    assert sorted(payloads.fetched.values()) == [1, 1, 2]


async def test_a_fetch_that_fails_is_tried_again(payloads: Counted) -> None:
    """Each follower gets the error, and none is remembered."""
    recorded = await events(payloads, "a")
    claims, payloads.away = ClaimedOnce(payloads), True
    for error in await asyncio.gather(
        claims.all(recorded), claims.all(recorded), return_exceptions=True
    ):
        assert isinstance(error, StoreUnavailable)

    payloads.away = False

    (whole,) = await claims.all(recorded)
    assert whole.data == large("a").data


async def test_a_follower_that_is_stopped_stops_no_other(payloads: Counted) -> None:
    """The one that has begun the fetch may be cancelled."""
    recorded = await events(payloads, "a")
    claims = ClaimedOnce(payloads)
    first = asyncio.create_task(claims.all(recorded))
    second = asyncio.create_task(claims.all(recorded))
    await asyncio.sleep(0)

    first.cancel()

    assert [one.data for one in await second] == [large("a").data]
    assert [*payloads.fetched.values()] == [1]


async def test_without_a_payload_store_a_reference_is_refused(payloads: Counted) -> None:
    """As ever; small events need none."""
    recorded = await events(payloads, "a")

    with pytest.raises(PayloadUnavailable):
        await ClaimedOnce(None).all(recorded)
    assert await ClaimedOnce(None).all([]) == []
