"""A bus in memory."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from application.integration_events import Outgoing
from application.ports import (
    BusUnavailable,
    Fenced,
    ForwarderStanding,
    PositionLost,
    RecordTooLarge,
    Sought,
    TopicStanding,
)

LARGEST = 1_000_000  # bytes of data in one record


class Bus:
    """A :class:`~application.ports.Bus`. To be used on one event loop."""

    def __init__(self, topics: Sequence[str], largest: int = LARGEST) -> None:
        """The topics are there from the start."""
        self.declared, self.largest = tuple(topics), largest
        self.existing = {topic: TopicStanding(topic, True, 1, 1, None, largest) for topic in topics}
        self.records: defaultdict[str, list[Outgoing]] = defaultdict(list)  # by topic
        self.times: dict[tuple[str, str, str], datetime] = {}  # of each, when it came first
        self.kept: ForwarderStanding | None = None
        self.opened = 0  # publishers so far

    @asynccontextmanager
    async def publisher(self) -> AsyncIterator["Publisher"]:
        await asyncio.sleep(0)
        self._require_topics()
        if self.kept is None and any(self.records.values()):
            raise PositionLost("the bus")
        self.opened += 1
        yield Publisher(self, self.opened)

    async def move(self, standing: ForwarderStanding) -> None:
        self._require_topics()
        self.opened += 1
        self.kept = standing

    async def standing(self) -> ForwarderStanding | None:
        self._require_topics()
        return self.kept

    async def published_at(self, sought: Sequence[Sought]) -> Sequence[datetime | None]:
        self._require_topics()
        return [self.times.get(one.name) for one in sought]

    async def topics(self) -> Sequence[TopicStanding]:
        return [self.existing.get(one, TopicStanding(one, False)) for one in self.declared]

    async def create_topics(
        self, partitions: int | None = None, replication: int | None = None
    ) -> Sequence[str]:
        missing = self._missing
        for topic in missing:
            self.existing[topic] = TopicStanding(
                topic, True, partitions or 1, replication or 1, None, self.largest
            )
        return missing

    @property
    def _missing(self) -> Sequence[str]:
        return [topic for topic in self.declared if topic not in self.existing]

    def _require_topics(self) -> None:
        if self._missing:
            raise BusUnavailable(f"there is no topic {', '.join(self._missing)}")


class Publisher:
    """A :class:`~application.ports.Publisher`."""

    def __init__(self, bus: Bus, number: int) -> None:
        self._bus, self._number = bus, number
        self.standing = bus.kept

    async def publish(self, batch: Sequence[Outgoing], standing: ForwarderStanding) -> None:
        for outgoing in batch:
            if (size := len(outgoing.event.data)) > self._bus.largest:
                raise RecordTooLarge(outgoing, size, self._bus.largest, outgoing.topic)
        await asyncio.sleep(0)  # as on a network, another may be first
        if self._number != self._bus.opened:
            raise Fenced("another publisher was opened")
        for outgoing in batch:
            self._bus.records[outgoing.topic].append(outgoing)
            name = (outgoing.topic, outgoing.event.id, outgoing.event.type)
            self._bus.times.setdefault(name, standing.at)
        self._bus.kept = standing
