"""The contract of ``Bus``, on every adapter."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from application.integration_events import CloudEvent, Outgoing
from application.ports import Fenced, ForwarderStanding, PositionLost, RecordTooLarge
from infrastructure import memory

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TOPIC = "bank.transfer"


def outgoing(key: str, data: bytes = b"{}") -> Outgoing:
    """A record of that aggregate."""
    id = str(uuid4())
    type = "bank.transfer.completed.v1"
    return Outgoing(TOPIC, key, CloudEvent(id, type, "/bank/transfer", key, NOON, data))


def standing(position: int) -> ForwarderStanding:
    """A forwarder that has come so far."""
    return ForwarderStanding(position, None, position, NOON, "ann")


@pytest.fixture
def bus() -> memory.Bus:
    return memory.Bus([TOPIC], largest=1_000)


async def test_records_and_standing_are_kept_together(bus: memory.Bus) -> None:
    """The next publisher finds the standing that was published last."""
    first, second = [outgoing("a"), outgoing("b")], [outgoing("a")]
    async with bus.publisher() as publisher:
        assert publisher.standing is None
        await publisher.publish(first, standing(2))
        await publisher.publish(second, standing(3))
    async with bus.publisher() as publisher:
        assert publisher.standing == await bus.standing() == standing(3)
    assert bus.records[TOPIC] == [*first, *second]


async def test_only_the_newest_publisher_can_publish(bus: memory.Bus) -> None:
    """An older one is fenced: neither its records nor its standing are kept."""
    async with bus.publisher() as older, bus.publisher() as newer:
        await newer.publish([outgoing("a")], standing(1))
        with pytest.raises(Fenced):
            await older.publish([outgoing("b")], standing(2))
    assert await bus.standing() == standing(1)
    assert [one.key for one in bus.records[TOPIC]] == ["a"]


async def test_a_record_that_is_too_large_is_refused_with_its_batch(bus: memory.Bus) -> None:
    """The error names the record; nothing was published, and the publisher can go on."""
    large = outgoing("b", b"x" * 2_000)
    async with bus.publisher() as publisher:
        with pytest.raises(RecordTooLarge, match=r"2,000 bytes.*takes 1,000") as refused:
            await publisher.publish([outgoing("a"), large], standing(2))
        assert refused.value.outgoing is large
        assert (await bus.standing(), bus.records[TOPIC]) == (None, [])
        await publisher.publish([outgoing("a")], standing(1))


async def test_records_without_a_position_are_not_repeated(bus: memory.Bus) -> None:
    """A publisher that would start at the first event again is refused."""
    async with bus.publisher() as publisher:
        await publisher.publish([outgoing("a")], standing(1))
    bus.kept = None
    with pytest.raises(PositionLost):
        async with bus.publisher():
            pass


async def test_missing_topics_are_shown_and_created(bus: memory.Bus) -> None:
    """Creating them again changes nothing."""
    bus.existing.clear()
    assert [one.exists for one in await bus.topics()] == [False]
    assert await bus.create_topics() == [TOPIC]
    assert await bus.create_topics() == []
    assert [one.exists for one in await bus.topics()] == [True]
