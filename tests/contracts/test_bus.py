"""The contract of ``Bus``, on every adapter."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from application.integration_events import CloudEvent, Outgoing
from application.ports import (
    Bus,
    BusUnavailable,
    Fenced,
    ForwarderStanding,
    LastEvent,
    PositionLost,
    RecordTooLarge,
    Sought,
)
from application.receiving import cloud_events
from infrastructure import kafka, memory
from tests.kafka_topics import committed, create, settings

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LARGEST = 1_000

ByKey = Mapping[str, Sequence[CloudEvent]]


@dataclass
class Case:
    """An adapter, with a topic of this test's own."""

    bus: Bus
    topic: str
    read: Callable[[], list[tuple[str, CloudEvent]]]
    """What readers of committed records see, with the keys."""
    forgetful: Callable[[], Bus]
    """The same topics, after the position was lost."""
    elsewhere: Callable[[], Bus]
    """A bus without its topics."""

    def outgoing(self, key: str, data: bytes = b"{}") -> Outgoing:
        """A record of that aggregate."""
        id, type = str(uuid4()), "bank.transfer.completed.v1"
        return Outgoing(
            self.topic,
            key,
            CloudEvent(
                *(id, type, "/bank/transfer", key, NOON, data, "urn:bank:transfer.completed:1"),
                *("correlation", "causation", f"00-{'a' * 32}-{'b' * 16}-01", "bot", "ann"),
            ),
        )

    async def published(self) -> ByKey:
        found: defaultdict[str, list[CloudEvent]] = defaultdict(list)
        for key, event in await asyncio.to_thread(self.read):
            found[key].append(event)
        return found


def by_key(*outgoing: Outgoing) -> ByKey:
    """What readers should see of them."""
    return {
        one.key: [other.event for other in outgoing if other.key == one.key] for one in outgoing
    }


def standing(position: int) -> ForwarderStanding:
    """A forwarder that has come so far."""
    last = LastEvent("transfer-a", position, uuid4())
    return ForwarderStanding(position, last, position, NOON, "ann", "transfer-b@0 is refused")


def _in_memory() -> Case:
    topic = "bank.transfer"
    bus = memory.Bus([topic], LARGEST)

    def forgetful() -> Bus:
        bus.kept = None
        return bus

    def elsewhere() -> Bus:
        bus.existing.clear()
        return bus

    read = lambda: [(one.key, one.event) for one in bus.records[topic]]  # noqa: E731 - one line
    return Case(bus, topic, read, forgetful, elsewhere)


def _in_kafka(address: str) -> Case:
    prefix, topic, config = f"{uuid4()}.", "bank.transfer", settings(address)
    create(address, f"{prefix}{topic}", config={"max.message.bytes": f"{LARGEST}"})
    create(address, f"{prefix}bank-forwarder", f"{prefix}bank2-forwarder", partitions=1)

    def read() -> list[tuple[str, CloudEvent]]:
        records = committed(address, f"{prefix}{topic}")
        return [((one.key or b"").decode(), cloud_events.read(one)) for one in records]

    return Case(
        kafka.Bus(config, "bank", [topic], prefix),
        topic,
        read,
        lambda: kafka.Bus(config, "bank2", [topic], prefix),
        lambda: kafka.Bus(config, "bank", [topic], f"{uuid4()}."),
    )


@pytest.fixture(params=["memory", "kafka (real)"])
def case(request: pytest.FixtureRequest) -> Case:
    if request.param == "memory":
        return _in_memory()
    return _in_kafka(request.getfixturevalue("kafka"))


async def test_records_and_standing_are_kept_together(case: Case) -> None:
    """The next publisher finds the standing that was published last, and readers all attributes."""
    bus = case.bus
    first, second = [case.outgoing("a"), case.outgoing("b")], [case.outgoing("a")]
    latest = standing(3)
    async with bus.publisher() as publisher:
        assert publisher.standing is None
        await publisher.publish(first, standing(2))
        await publisher.publish(second, latest)
    async with bus.publisher() as publisher:
        assert publisher.standing == await bus.standing() == latest
    assert await case.published() == by_key(*first, *second)


async def test_only_the_newest_publisher_can_publish(case: Case) -> None:
    """An older one is fenced: neither its records nor its standing are kept."""
    newest, kept = standing(1), case.outgoing("a")
    async with case.bus.publisher() as older, case.bus.publisher() as newer:
        await newer.publish([kept], newest)
        with pytest.raises(Fenced):
            await older.publish([case.outgoing("b")], standing(2))
    assert await case.bus.standing() == newest
    assert await case.published() == by_key(kept)


async def test_a_publisher_knows_what_was_published_last(case: Case) -> None:
    """Also what another one published while this one was opened."""
    last = None
    for number in range(8):
        async with case.bus.publisher() as older, AsyncExitStack() as stack:
            opening = asyncio.create_task(stack.enter_async_context(case.bus.publisher()))
            await asyncio.sleep(number * 0.03)
            try:
                await older.publish([], standing(number))
                last = number
            except Fenced:
                pass
            newer = await opening
            assert (newer.standing and newer.standing.position) == last


async def test_a_position_can_be_moved(case: Case) -> None:
    """A publisher that is open is fenced, and the next one goes on from there."""
    moved = replace(standing(0), last=None, failure=None)
    async with case.bus.publisher() as publisher:
        await publisher.publish([case.outgoing("a")], standing(1))
        await case.bus.move(moved)
        with pytest.raises(Fenced):
            await publisher.publish([], standing(2))
    async with case.bus.publisher() as publisher:
        assert publisher.standing == moved


async def test_a_record_that_is_too_large_is_refused_with_its_batch(case: Case) -> None:
    """The error names the record; nothing was published, and the publisher can go on."""
    large, small = case.outgoing("b", b"1" * 2_000), case.outgoing("a")
    async with case.bus.publisher() as publisher:
        with pytest.raises(RecordTooLarge, match=r"2,\d\d\d bytes.*takes 1,000") as refused:
            await publisher.publish([case.outgoing("a"), large], standing(2))
        assert refused.value.outgoing is large
        assert (await case.bus.standing(), await case.published()) == (None, {})
        await publisher.publish([small], standing(1))
    assert await case.published() == by_key(small)


async def test_many_small_records_are_not_too_large(case: Case) -> None:
    """The limit is one of a record: a batch may have any number of them."""
    many = [case.outgoing("a", b'"%d"' % number) for number in range(100)]
    async with case.bus.publisher() as publisher:
        await publisher.publish(many, standing(100))
    assert await case.published() == by_key(*many)


async def test_records_without_a_position_are_not_repeated(case: Case) -> None:
    """A publisher that would start at the first event again is refused, until one is set."""
    async with case.bus.publisher() as publisher:
        await publisher.publish([case.outgoing("a")], standing(1))
    bus = case.forgetful()
    with pytest.raises(PositionLost, match="bus replay --from"):
        async with bus.publisher():
            pass
    await bus.move(standing(1))
    async with bus.publisher():
        pass


async def test_the_bus_knows_when_a_record_was_published(case: Case) -> None:
    """The first time, also where it was published again; of a record that is not there, nothing."""
    first, again, other = case.outgoing("a"), case.outgoing("b"), case.outgoing("c")
    began = datetime.now(UTC)
    async with case.bus.publisher() as publisher:
        for number, batch in enumerate(([first], [again], [again], [other])):
            await publisher.publish(batch, replace(standing(number), at=datetime.now(UTC)))
    sought = [
        Sought(one.topic, one.event.id, one.event.type, began)
        for one in (other, again, first, case.outgoing("a"))
    ]
    times = await case.bus.published_at(sought)

    assert times[3] is None
    found = [one for one in times if one is not None]
    assert found == sorted(found, reverse=True)
    assert len(found) == 3
    for one in found:
        assert began - timedelta(seconds=1) <= one <= datetime.now(UTC)
    assert await case.bus.published_at([]) == []


async def test_a_record_is_found_among_others_of_its_event(case: Case) -> None:
    """Two versions of one fact have one id, and each its own type."""
    made = case.outgoing("a")
    newer = replace(made, event=replace(made.event, type="bank.transfer.completed.v2"))
    began = datetime.now(UTC)
    async with case.bus.publisher() as publisher:
        await publisher.publish([made], replace(standing(1), at=began))

    times = await case.bus.published_at(
        [Sought(one.topic, one.event.id, one.event.type, began) for one in (made, newer)]
    )

    assert times[0] is not None
    assert times[1] is None


async def test_missing_topics_are_shown_and_created(case: Case) -> None:
    """All else is refused with their names. Creating them again changes nothing."""
    bus = case.elsewhere()
    missing = [one.name for one in await bus.topics()]
    assert {one.exists for one in await bus.topics()} == {False}
    with pytest.raises(BusUnavailable, match=f"no topic {missing[0]}"):
        async with bus.publisher():
            pass
    sought = [Sought(missing[0], f"{uuid4()}", "bank.transfer.completed.v1", NOON)]
    for refused in (bus.standing(), bus.move(standing(1))):
        with pytest.raises(BusUnavailable, match=f"no topic .*{missing[-1]}"):
            await refused
    with pytest.raises(BusUnavailable, match="no topic"):
        await bus.published_at(sought)
    assert await bus.create_topics(partitions=2, replication=1) == missing
    assert await bus.create_topics() == []
    topic = (await bus.topics())[0]
    assert (topic.exists, topic.partitions, topic.replication) == (True, 2, 1)
    async with bus.publisher() as publisher:
        assert publisher.standing is None
