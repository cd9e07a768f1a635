"""Streams in PostgreSQL that are asked for together, and read together."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from application.messages import RecordedEvent
from application.ports import NO_STREAM, EventStore
from infrastructure.postgres.events.group_read import BEGINNING, GroupRead
from tests.contracts.made_up import all_of, events, name
from tests.infrastructure.postgres_log import Log, log_at

LENGTHS = (0, 1, 3, BEGINNING - 1, BEGINNING, BEGINNING + 1, 2 * BEGINNING + 7)


@pytest.fixture
async def log(postgres: str) -> AsyncIterator[Log]:
    async with log_at(postgres) as log:
        yield log


async def test_each_of_many_readers_gets_the_whole_of_its_stream(log: Log) -> None:
    """However long the streams are, from whatever version on, and with some asked for twice."""
    streams = {name("note"): length for length in LENGTHS}
    for stream, length in streams.items():
        if length:
            await log.events.append(stream, events(length), NO_STREAM)
    wanted = [(stream, start) for stream in streams for start in (0, 0, 2, BEGINNING)]

    read = await asyncio.gather(*(versions(log.events, *one) for one in wanted))

    assert read == [[*range(start, streams[stream])] for stream, start in wanted]


async def versions(store: EventStore, stream: str, start: int) -> list[int]:
    found: list[RecordedEvent] = await all_of(store.read(stream, from_version=start))
    assert all(one.stream == stream for one in found)
    return [one.version for one in found]


async def test_who_asks_meanwhile_goes_together(log: Log) -> None:
    """While questions are under way nobody starts another: all wait for the next, in one group."""
    groups: list[int] = []
    reads = GroupRead(log.pool, 1000, groups.append)

    await asyncio.gather(*(reads.first_page(name("note"), 0) for _ in range(150)))
    assert sum(groups) == 150
    assert len(groups) <= 4

    await reads.first_page(name("note"), 0)
    assert groups[-1] == 1


async def test_what_cannot_be_asked_is_refused_to_its_reader_alone(log: Log) -> None:
    """A name or a version that PostgreSQL has no room for spoils nobody else's read."""
    stream = name("note")
    await log.events.append(stream, events(3), NO_STREAM)
    wanted = [("note-\x00", 0), ("note-\ud800", 0), (stream, 2**40), (stream, 0)]

    read = await asyncio.gather(
        *(versions(log.events, *one) for one in wanted * 3), return_exceptions=True
    )

    assert Counter(str(one) for one in read if isinstance(one, list))["[0, 1, 2]"] == 3
    assert sum(isinstance(one, Exception) for one in read) >= 6
