"""The partitions that one consumer has: which records are in hand, and up to where all are done.

A thread of the client adds records, and the event loop takes and settles them. Each method holds
the lock for microseconds, but ``released``, which lets go of it while it waits.
"""

import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Condition
from typing import Final

from application.ports import BusRecord, TopicLag

WAITING: Final = 500  # fetched records of one partition, above which no more are fetched
WAITING_BYTES: Final = 4_000_000

Place = tuple[str, int]
"""A topic, and the number of one of its partitions."""


@dataclass(eq=False)
class Partition:
    """One partition, as long as this consumer has it."""

    waiting: deque[BusRecord] = field(default_factory=deque)  # fetched, not handed out yet
    in_hand: dict[int, BusRecord] = field(default_factory=dict)
    again: dict[int, BusRecord] = field(default_factory=dict)  # dropped: to be handed out again
    bytes: int = 0  # of those that wait
    end: int | None = None  # the offset after the last fetched record
    high: int | None = None  # the offset after the last record that the broker has
    committed: int | None = None
    lost: bool = False
    paused: bool = False

    @property
    def full(self) -> bool:
        """Whether fetching should pause."""
        return len(self.waiting) >= WAITING or self.bytes >= WAITING_BYTES

    @property
    def done(self) -> int | None:
        """All before this offset are done; ``None`` before the first record."""
        first = (self.waiting[0].offset,) if self.waiting else ()
        return min((*self.in_hand, *self.again, *first), default=self.end)

    @property
    def unsettled(self) -> Iterator[BusRecord]:
        yield from self.in_hand.values()
        yield from self.again.values()
        yield from self.waiting


class Partitions:
    """All partitions of one consumer."""

    def __init__(self, buffer: int) -> None:
        """At most ``buffer`` records of each partition are in hand at a time."""
        self._buffer = buffer
        self._changed = Condition()
        self._held: dict[Place, Partition] = {}

    def assigned(self, place: Place) -> None:
        with self._changed:
            self._held[place] = Partition()

    def arrived(self, record: BusRecord) -> None:
        """A record has been fetched."""
        with self._changed:
            if one := self._held.get((record.topic, record.partition)):
                one.waiting.append(record)
                one.bytes += _size(record)
                one.end = record.offset + 1

    def at_end(self, place: Place, offset: int) -> None:
        """Everything before that offset has been fetched: also what is no record of anybody's."""
        with self._changed:
            if one := self._held.get(place):
                one.end = one.high = max(offset, one.end or 0)

    def reaches(self, place: Place, high: int) -> None:
        """The broker has records up to that offset."""
        with self._changed:
            if one := self._held.get(place):
                one.high = high

    def next(self) -> tuple[Partition, BusRecord] | None:
        """A record to hand out now."""
        with self._changed:
            for place, one in self._held.items():
                if (one.again or one.waiting) and not one.lost and len(one.in_hand) < self._buffer:
                    record = one.again.pop(min(one.again)) if one.again else one.waiting.popleft()
                    one.bytes = max(0, one.bytes - _size(record))
                    one.in_hand[record.offset] = record
                    self._held[place] = self._held.pop(place)  # the others come first now
                    return one, record
        return None

    def settle(self, one: Partition, record: BusRecord, *, done: bool) -> None:
        """It is done, or to be handed out again; nothing if another consumer has the partition."""
        with self._changed:
            if one.in_hand.pop(record.offset, None) and not done:
                one.again[record.offset] = record
            self._changed.notify_all()

    def progress(self) -> Mapping[Place, int]:
        """Where a group should go on, for each partition in which that has changed."""
        with self._changed:
            done = {place: one.done for place, one in self._held.items()}
            return {
                place: offset
                for place, offset in done.items()
                if offset is not None and offset != self._held[place].committed
            }

    def committed(self, offsets: Mapping[Place, int]) -> None:
        with self._changed:
            for place, offset in offsets.items():
                if place in self._held:
                    self._held[place].committed = offset

    def to_pause(self) -> list[Place]:
        """Those that have become full: no more of them should be fetched."""
        with self._changed:
            found = [p for p, one in self._held.items() if one.full and not one.paused]
            for place in found:
                self._held[place].paused = True
            return found

    def to_resume(self) -> list[Place]:
        """Those of which more should be fetched."""
        with self._changed:
            found = [
                place
                for place, one in self._held.items()
                if one.paused and len(one.waiting) < WAITING // 2 and one.bytes < WAITING_BYTES // 2
            ]
            for place in found:
                self._held[place].paused = False
            return found

    def release(self, places: list[Place], within: float) -> None:
        """Hand out no more of them, and wait until what is in hand is settled, or seconds end."""
        end = time.monotonic() + within
        with self._changed:
            for place in places:
                if place in self._held:
                    self._held[place].lost = True
            while (left := end - time.monotonic()) > 0 and self._in_hand(places):
                self._changed.wait(left)

    def forget(self, places: list[Place]) -> None:
        """Another consumer has them."""
        with self._changed:
            for place in places:
                if one := self._held.pop(place, None):
                    one.lost = True
                    one.in_hand.clear()

    def lags(self) -> Mapping[str, TopicLag]:
        """By topic."""
        with self._changed:
            topics = dict.fromkeys(topic for topic, _ in self._held)
            return {topic: self._lag(topic) for topic in topics}

    def places(self) -> list[Place]:
        with self._changed:
            return [*self._held]

    def _in_hand(self, places: list[Place]) -> bool:
        return any(place in self._held and self._held[place].in_hand for place in places)

    def _lag(self, topic: str) -> TopicLag:
        missing: int | None = 0
        oldest: float | None = None
        for one in (one for (name, _), one in self._held.items() if name == topic):
            for record in one.unsettled:
                if record.timestamp:
                    written = record.timestamp.timestamp()
                    oldest = min(oldest or written, written)
            there = None if one.high is None else max(0, one.high - (one.end or 0))
            if missing is not None:
                missing = None if there is None else missing + there + _count(one)
        if oldest is not None:
            return TopicLag(missing, max(0.0, time.time() - oldest))
        return TopicLag(missing, 0.0 if missing == 0 else None)


def _count(one: Partition) -> int:
    return len(one.waiting) + len(one.in_hand) + len(one.again)


def _size(record: BusRecord) -> int:
    return len(record.value or b"") + len(record.key or b"")
