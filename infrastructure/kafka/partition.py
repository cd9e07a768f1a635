"""One partition that a consumer has: its records, and up to where all are done."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from application.ports import BusRecord

WAITING: Final = 500  # fetched records of one partition, above which no more are fetched
WAITING_BYTES: Final = 4_000_000

Place = tuple[str, int]
"""A topic, and the number of one of its partitions."""
Progress = tuple[int, str]
"""The offset at which a group goes on in a partition, and how many consumers have died there.

A consumer that may die of the record there counts itself, before it has the record in hand. So the
number is right for the next one if it dies, and is committed anew if it does not.
"""


@dataclass(eq=False)
class Partition:
    """One partition, as long as this consumer has it."""

    waiting: deque[BusRecord] = field(default_factory=deque)  # fetched, not handed out yet
    in_hand: dict[int, BusRecord] = field(default_factory=dict)
    again: dict[int, BusRecord] = field(default_factory=dict)  # dropped: to be handed out again
    bytes: int = 0  # of those that wait
    end: int | None = None  # the offset after the last fetched record
    high: int | None = None  # the offset after the last record that the broker has
    committed: Progress | None = None  # what this consumer has committed
    start: int | None = None  # the offset of its first record; ``None``: its mark is not read yet
    deaths: int = 0  # consumers that have died at ``start``
    alone: int = 0  # so many records are still handed out one by one
    by_itself: bool = False  # whether what is in hand was handed out so
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
    def next(self) -> int | None:
        """The offset of the record to hand out next."""
        waiting = self.waiting[0].offset if self.waiting else None
        return min(self.again, default=waiting)

    @property
    def is_suspect(self) -> bool:
        """Whether its next record may be what killed a consumer."""
        return self.alone > 0 and self.next is not None and not self.lost

    @property
    def counts_this_one(self) -> bool:
        """Whether a death of this consumer would be counted at what it has committed."""
        if self.committed is None:
            return False
        offset, mark = self.committed
        return int(mark) > self.deaths_at(offset)

    def progress(self, *, at_risk: bool) -> Progress | None:
        """What is to be committed; ``None`` before the first record.

        ``at_risk``: this consumer has the record there in hand, or may have it next.
        """
        if self.start is None or (done := self.done) is None:
            return None
        return done, str(self.deaths_at(done) + at_risk)

    def deaths_at(self, offset: int) -> int:
        """How many consumers have died while the record there was the first that was not done."""
        return self.deaths if offset == self.start else 0

    @property
    def unsettled(self) -> Iterator[BusRecord]:
        yield from self.in_hand.values()
        yield from self.again.values()
        yield from self.waiting


def size(record: BusRecord) -> int:
    return len(record.value or b"") + len(record.key or b"")
