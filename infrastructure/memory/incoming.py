"""Topics in memory that are read by groups: what Kafka's consumer groups promise."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from zlib import crc32

from application.ports import BusUnavailable
from application.ports.incoming import BusRecord, Headers, TopicLag
from infrastructure.signalling import Signal

Place = tuple[str, int]
"""A topic, and the number of one of its partitions."""


class IncomingRecords:
    """An :class:`~application.ports.IncomingRecords`, and a way to put records there."""

    def __init__(self, partitions: int = 3) -> None:
        self.partitions = partitions
        self.changed = Signal()
        self._topics: defaultdict[str, list[list[BusRecord]]] = defaultdict(
            lambda: [[] for _ in range(partitions)]
        )
        self._groups: defaultdict[str, _Group] = defaultdict(lambda: _Group(self))

    async def put(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = ()
    ) -> None:
        """Append a record. Those of one key are in one partition."""
        partition = crc32(key or b"") % self.partitions
        records, headers = self._topics[topic][partition], tuple(headers)
        now = datetime.now(UTC)
        records.append(BusRecord(topic, partition, len(records), key, value, headers, now))
        self.changed.send()

    @asynccontextmanager
    async def consume(
        self, group: str, topics: Sequence[str], *, buffer: int = 100
    ) -> AsyncIterator["_Consumer"]:
        consumer = _Consumer(self._groups[group], topics, buffer)
        self._groups[group].join(consumer)
        try:
            yield consumer
        finally:
            self._groups[group].leave(consumer)

    def records(self, place: Place) -> Sequence[BusRecord]:
        """Those of one partition."""
        topic, partition = place
        return self._topics[topic][partition]


@dataclass
class _Reading:
    """How far a group has come in one partition."""

    owner: "_Consumer | None" = None
    heir: "_Consumer | None" = None  # that has it once nothing is in hand
    next: int = 0  # the offset to hand out next
    in_hand: dict[int, "_Arrival"] = field(default_factory=dict)
    again: set[int] = field(default_factory=set)  # were dropped

    @property
    def committed(self) -> int:
        """All before this offset are done."""
        return min([*self.in_hand, *self.again], default=self.next)

    def hand_over(self) -> None:
        """To its heir, from what is not done."""
        self.next, self.owner, self.heir = self.committed, self.heir, None
        self.in_hand.clear()
        self.again.clear()


class _Group:
    """The consumers of one group, and the partitions that each has."""

    def __init__(self, bus: IncomingRecords) -> None:
        self.bus = bus
        self.readings: defaultdict[Place, _Reading] = defaultdict(_Reading)
        self._consumers: list[_Consumer] = []

    def join(self, consumer: "_Consumer") -> None:
        self._consumers.append(consumer)
        self._balance()

    def leave(self, consumer: "_Consumer") -> None:
        consumer.gone = True
        self._consumers.remove(consumer)
        for reading in self.readings.values():
            if reading.heir is consumer:
                reading.heir = None
            if reading.owner is consumer:
                reading.hand_over()
        self._balance()

    def settled(self, place: Place) -> None:
        reading = self.readings[place]
        if reading.heir and not reading.in_hand:
            reading.hand_over()
        self.bus.changed.send()

    def _balance(self) -> None:
        """Share the partitions of each topic among the consumers that read it."""
        for topic in {topic for consumer in self._consumers for topic in consumer.topics}:
            turns = cycle([one for one in self._consumers if topic in one.topics])
            for partition, consumer in zip(range(self.bus.partitions), turns, strict=False):
                reading = self.readings[topic, partition]
                reading.heir = consumer if reading.owner is not consumer else None
                self.settled((topic, partition))


class _Consumer:
    """An :class:`~application.ports.Arrivals`."""

    fault: str | None = None

    def __init__(self, group: _Group, topics: Sequence[str], buffer: int) -> None:
        self.group, self.topics, self.gone, self._buffer = group, topics, False, buffer

    def __aiter__(self) -> "_Consumer":
        return self

    async def __anext__(self) -> "_Arrival":
        while not (arrival := self._next()):
            await self.group.bus.changed.wait()
        return arrival

    def lags(self) -> Mapping[str, TopicLag]:
        missing: dict[str, list[BusRecord]] = {topic: [] for topic in self.topics}
        for place, reading in self._own():
            missing[place[0]] += self.group.bus.records(place)[reading.committed :]
        return {topic: _lag(records) for topic, records in missing.items()}

    def _next(self) -> "_Arrival | None":
        if self.gone:
            raise BusUnavailable("this consumer has left: its records go to others")
        for place, reading in self._own():
            records = self.group.bus.records(place)
            if reading.heir or len(reading.in_hand) >= self._buffer:
                continue
            if reading.again:
                return self._handed(place, min(reading.again))
            if reading.next < len(records):
                reading.next += 1
                return self._handed(place, reading.next - 1)
        return None

    def _handed(self, place: Place, offset: int) -> "_Arrival":
        reading = self.group.readings[place]
        reading.again.discard(offset)
        arrival = _Arrival(self, place, self.group.bus.records(place)[offset])
        reading.in_hand[offset] = arrival
        return arrival

    def _own(self) -> Iterator[tuple[Place, _Reading]]:
        return ((place, one) for place, one in self.group.readings.items() if one.owner is self)


class _Arrival:
    """An :class:`~application.ports.Arrival`."""

    deaths = 0  # the topics end with the process

    def __init__(self, consumer: _Consumer, place: Place, record: BusRecord) -> None:
        self._consumer, self._place, self.record = consumer, place, record

    @property
    def lost(self) -> bool:
        reading = self._reading
        return reading.in_hand.get(self.record.offset) is not self or reading.heir is not None

    def done(self) -> None:
        self._settle(again=False)

    def drop(self) -> None:
        self._settle(again=True)

    @property
    def _reading(self) -> _Reading:
        return self._consumer.group.readings[self._place]

    def _settle(self, *, again: bool) -> None:
        offset, reading = self.record.offset, self._reading
        if reading.in_hand.get(offset) is not self:
            return  # another consumer has the partition
        del reading.in_hand[offset]
        if again:
            reading.again.add(offset)
        self._consumer.group.settled(self._place)


def _lag(records: Sequence[BusRecord]) -> TopicLag:
    if not records:
        return TopicLag(0, 0.0)
    oldest = records[0].timestamp
    return TopicLag(len(records), (datetime.now(UTC) - oldest).total_seconds() if oldest else None)
