"""How a consumer group distributes its events: the four strategies of EventStoreDB.

A strategy only chooses; the group records which consumer holds which event. ``choose`` returns a
consumer with a free slot, or None if the event has to wait.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol
from zlib import crc32

BUCKETS = 1024


@dataclass(slots=True)
class Consumer:
    """A connected consumer: how many unacknowledged events it may hold, and how many it holds."""

    name: str
    slots: int
    in_flight: int = 0
    total_items: int = 0

    @property
    def free(self) -> bool:
        return self.in_flight < self.slots


class Strategy(Protocol):
    def join(self, consumer: Consumer, held: Iterable[str]) -> None:
        """Add a consumer; ``held`` names the sources of all events in flight."""

    def leave(self, consumer: Consumer) -> None: ...

    def choose(self, source: str) -> Consumer | None: ...


class RoundRobin:
    """Every event goes to the next consumer that has room."""

    def __init__(self) -> None:
        self._ring: deque[Consumer] = deque()

    def join(self, consumer: Consumer, held: Iterable[str]) -> None:  # noqa: ARG002 - Strategy
        self._ring.append(consumer)

    def leave(self, consumer: Consumer) -> None:
        self._ring.remove(consumer)

    def choose(self, source: str) -> Consumer | None:  # noqa: ARG002 - the ring ignores sources
        for _ in range(len(self._ring)):
            consumer = self._ring[0]
            self._ring.rotate(-1)
            if consumer.free:
                return consumer
        return None


class DispatchToSingle(RoundRobin):
    """All events go to one consumer until it is full, then to the next."""

    def choose(self, source: str) -> Consumer | None:  # noqa: ARG002 - the ring ignores sources
        for _ in range(len(self._ring)):
            if self._ring[0].free:
                return self._ring[0]
            self._ring.rotate(-1)
        return None


class Pinned:
    """Events of one source go to one consumer, as long as it is connected.

    Sources share 1024 buckets; a bucket goes to the consumer with the fewest. An event whose
    consumer is full waits, while later events of other buckets may pass it.
    """

    def __init__(self) -> None:
        self._owners: dict[int, Consumer] = {}
        self._consumers: list[Consumer] = []

    def join(self, consumer: Consumer, held: Iterable[str]) -> None:
        busy = {_bucket(source) for source in held}
        self._consumers.append(consumer)
        fair = -(-len(self._owners) // len(self._consumers))
        for other in self._consumers[:-1]:
            owned = [bucket for bucket, owner in self._owners.items() if owner is other]
            idle_first = sorted(owned, key=lambda bucket: bucket in busy)
            for bucket in idle_first[: max(0, len(owned) - fair)]:
                self._owners[bucket] = consumer

    def leave(self, consumer: Consumer) -> None:
        self._consumers.remove(consumer)
        self._owners = {b: owner for b, owner in self._owners.items() if owner is not consumer}

    def choose(self, source: str) -> Consumer | None:
        bucket = _bucket(source)
        owner = self._owners.get(bucket) or self._assign(bucket)
        return owner if owner is not None and owner.free else None

    def _assign(self, bucket: int) -> Consumer | None:
        if not self._consumers:
            return None
        owned = [id(owner) for owner in self._owners.values()]
        owner = min(self._consumers, key=lambda consumer: owned.count(id(consumer)))
        self._owners[bucket] = owner
        return owner


def _bucket(source: str) -> int:
    return crc32(source.encode()) % BUCKETS


STRATEGIES: Mapping[str, type[RoundRobin] | type[DispatchToSingle] | type[Pinned]] = {
    "DispatchToSingle": DispatchToSingle,
    "RoundRobin": RoundRobin,
    "Pinned": Pinned,
    "PinnedByCorrelation": Pinned,  # the same, with the correlation id as the source
}
