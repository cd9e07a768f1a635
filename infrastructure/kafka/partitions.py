"""The partitions that one consumer has: which records are in hand, and up to where all are done.

A thread of the client adds records, and the event loop takes and settles them. Each method holds
the lock for microseconds, but ``released``, which lets go of it while it waits.
"""

import time
from collections.abc import Iterable, Mapping
from threading import Condition

from application.ports import BusRecord, TopicLag
from infrastructure.kafka.partition import WAITING, WAITING_BYTES, Partition, Place, Progress, size


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
                one.bytes += size(record)
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

    def to_begin(self) -> list[Place]:
        """Those that have records, and of which it is not known yet who had them before."""
        with self._changed:
            return [p for p, one in self._held.items() if one.start is None and one.waiting]

    def begin(self, place: Place, deaths: int) -> None:
        """So many consumers have died at its first record. Then hand out some one by one."""
        with self._changed:
            if (one := self._held.get(place)) and one.start is None:
                one.start, one.deaths = one.next, deaths
                one.alone = self._buffer if deaths else 0

    @property
    def wait_for_commit(self) -> bool:
        """Whether records are held back until what was done before them is committed."""
        with self._changed:
            if self._suspect:
                return not self._in_hand(self._held) and bool(self._uncommitted())
            return any(one.next is not None and self._waits(one) for one in self._held.values())

    def next(self) -> tuple[Partition, BusRecord] | None:
        """A record to hand out now. One that is handed out alone is the only one in hand.

        Everything else is committed then, so a death is counted at that one record.
        """
        with self._changed:
            suspect, alone = self._suspect, self._by_itself
            if alone or (suspect and (self._in_hand(self._held) or self._uncommitted())):
                return None
            for place, one in [suspect] if suspect else [*self._held.items()]:
                if self._can_go_on(one):
                    self._held[place] = self._held.pop(place)  # the others come first now
                    return one, self._taken(one)
        return None

    @property
    def _suspect(self) -> tuple[Place, Partition] | None:
        """The first partition whose next record may be what killed a consumer."""
        return next((held for held in self._held.items() if held[1].is_suspect), None)

    @property
    def _by_itself(self) -> bool:
        return any(one.in_hand and one.by_itself for one in self._held.values())

    def _uncommitted(self) -> dict[Place, Progress]:
        found = {
            place: one.progress(at_risk=self._at_risk(place))
            for place, one in self._held.items()
            if not one.lost
        }
        return {p: at for p, at in found.items() if at and at != self._held[p].committed}

    def _at_risk(self, place: Place) -> bool:
        """Whether this consumer has records of it in hand, or may have some next."""
        if self._by_itself or (self._suspect and self._in_hand(self._held)):
            return self._in_hand([place])
        return self._suspect is None or self._suspect[0] == place

    def _waits(self, one: Partition) -> bool:
        return one.start is not None and not one.lost and not one.counts_this_one

    def _can_go_on(self, one: Partition) -> bool:
        has_more = one.next is not None and len(one.in_hand) < self._buffer
        return has_more and one.start is not None and not one.lost and not self._waits(one)

    def _taken(self, one: Partition) -> BusRecord:
        record = one.again.pop(min(one.again)) if one.again else one.waiting.popleft()
        one.bytes = max(0, one.bytes - size(record))
        one.by_itself, one.alone = one.alone > 0, max(0, one.alone - 1)
        one.in_hand[record.offset] = record
        return record

    def settle(self, one: Partition, record: BusRecord, *, done: bool) -> None:
        """It is done, or to be handed out again; nothing if another consumer has the partition."""
        with self._changed:
            if one.in_hand.pop(record.offset, None) and not done:
                one.again[record.offset] = record
            self._changed.notify_all()

    def progress(self) -> Mapping[Place, Progress]:
        """What is to be committed: for each partition in which that has changed."""
        with self._changed:
            return self._uncommitted()

    def left(self, places: list[Place]) -> Mapping[Place, Progress]:
        """The same of partitions that this consumer gives away, alive."""
        with self._changed:
            held = {place: self._held[place] for place in places if place in self._held}
            left = {place: one.progress(at_risk=False) for place, one in held.items()}
            return {place: progress for place, progress in left.items() if progress}

    def committed(self, progress: Mapping[Place, Progress]) -> None:
        with self._changed:
            for place, done in progress.items():
                if place in self._held:
                    self._held[place].committed = done

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

    def _in_hand(self, places: Iterable[Place]) -> bool:
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
