"""A bus in memory."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from application.integration_events import Outgoing
from application.ports import (
    BusUnavailable,
    Fenced,
    ForwarderStanding,
    PositionLost,
    RecordTooLarge,
    TopicStanding,
)

LARGEST = 1_000_000  # bytes of data in one record


class Bus:
    """A :class:`~application.ports.Bus`. To be used on one event loop."""

    def __init__(self, topics: Sequence[str], largest: int = LARGEST) -> None:
        """The topics are there from the start."""
        self.declared, self.largest = tuple(topics), largest
        self.existing = set(topics)
        self.records: defaultdict[str, list[Outgoing]] = defaultdict(list)  # by topic
        self.kept: ForwarderStanding | None = None
        self.opened = 0  # publishers so far

    @asynccontextmanager
    async def publisher(self) -> AsyncIterator["Publisher"]:
        await asyncio.sleep(0)
        if missing := [topic for topic in self.declared if topic not in self.existing]:
            raise BusUnavailable(f"there is no topic {', '.join(missing)}")
        if self.kept is None and any(self.records.values()):
            raise PositionLost("the topics hold records, but the bus keeps no position")
        self.opened += 1
        yield Publisher(self, self.opened)

    async def standing(self) -> ForwarderStanding | None:
        return self.kept

    async def topics(self) -> Sequence[TopicStanding]:
        return [
            TopicStanding(topic, True, 1, 1, None, self.largest)
            if topic in self.existing
            else TopicStanding(topic, False)
            for topic in self.declared
        ]

    async def create_topics(self) -> Sequence[str]:
        missing = [topic for topic in self.declared if topic not in self.existing]
        self.existing.update(missing)
        return missing


class Publisher:
    """A :class:`~application.ports.Publisher`."""

    def __init__(self, bus: Bus, number: int) -> None:
        self._bus, self._number = bus, number
        self.standing = bus.kept

    async def publish(self, batch: Sequence[Outgoing], standing: ForwarderStanding) -> None:
        for outgoing in batch:
            if (size := len(outgoing.event.data)) > self._bus.largest:
                raise RecordTooLarge(outgoing, size, self._bus.largest)
        await asyncio.sleep(0)  # as on a network, another may be first
        if self._number != self._bus.opened:
            raise Fenced("another publisher was opened")
        for outgoing in batch:
            self._bus.records[outgoing.topic].append(outgoing)
        self._bus.kept = standing
