"""16 clients write to PostgreSQL and one reads, whatever happens to it meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from application.messages import NewEvent, RecordedEvent
from application.ports import (
    StoreUnavailable,
)
from tests.contracts.made_up import all_of, events, name, only
from tests.infrastructure.postgres_log import Log, only_events
from tests.waiting import until, until_true

PATIENCE = 120.0  # seconds for a test in which servers start


class Writers:
    """16 clients, each of whom sends an append again until it has an answer."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.acknowledged: dict[str, list[NewEvent]] = {name(): [] for _ in range(16)}
        self.unavailable = 0
        self._enough = asyncio.Event()

    @property
    def count(self) -> int:
        return sum(map(len, self.acknowledged.values()))

    def enough(self) -> None:
        self._enough.set()

    async def write(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number, stream in enumerate(self.acknowledged):
                group.create_task(self._client(stream, number % 3 + 1))

    async def _client(self, stream: str, size: int) -> None:
        done = self.acknowledged[stream]
        while not self._enough.is_set():
            wanted, expected = events(size), len(done) - 1
            await until_true(lambda: self._appended(stream, wanted, expected), PATIENCE)  # noqa: B023
            done += wanted

    async def _appended(self, stream: str, wanted: list[NewEvent], expected: int) -> bool:
        try:
            answer = await self._log.events.append(stream, wanted, expected)
        except StoreUnavailable:
            self.unavailable += 1
            return False
        assert answer.version == expected + len(wanted)
        return True


async def follow_on(log: Log, found: list[RecordedEvent]) -> None:
    """As a projection does: subscribe again after the last position seen, whenever it breaks."""
    position: int | None = None
    while True:
        with suppress(StoreUnavailable):
            async with log.subscriptions.catch_up(after=position, only=only("Noted")) as items:
                async for item in items:
                    position = item.position
                    found += only_events([item])


async def under_load(log: Log, *faults: Callable[[Writers], Awaitable[object]]) -> None:
    """16 clients write and one reads, while one fault comes after the other; then all is there."""
    found: list[RecordedEvent] = []
    writers = Writers(log)
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        writing = group.create_task(writers.write())
        reading = group.create_task(follow_on(log, found))
        for fault in faults:
            await _go_on(writers, found)
            await fault(writers)
        await _go_on(writers, found)
        writers.enough()
        await writing
        await until(lambda: len(found) >= writers.count, PATIENCE)
        reading.cancel()
    await everything_stands(log, writers.acknowledged, found)


async def _go_on(writers: Writers, found: list[RecordedEvent]) -> None:
    """Until some more has been written and read."""
    written, read = writers.count, len(found)
    await until(lambda: writers.count > written + 100 and len(found) > read + 50, PATIENCE)


async def everything_stands(
    log: Log, acknowledged: dict[str, list[NewEvent]], found: list[RecordedEvent]
) -> None:
    """What was acknowledged is there once and in order; and so it came to the reader."""
    for stream, wanted in acknowledged.items():
        recorded = await all_of(log.events.read(stream))
        assert [one.id for one in recorded] == [one.id for one in wanted]
        assert [one for one in found if one.stream == stream] == recorded
    positions = [one.position for one in found]
    assert positions == sorted(set(positions))
    assert len(found) == sum(map(len, acknowledged.values()))
