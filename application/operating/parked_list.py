"""The list of parked events: those of one status, of a time, or with some words, newest first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from application.parking import Held, ParkedStatus
from application.parking_stream import ParkingStream
from application.time_range import EVER, TimeRange

FIRST: Final = "first"
WHICH: Final = (FIRST, *map(str, ParkedStatus), "all")
"""First: the first parked event of each stream, failed or ready."""


@dataclass(frozen=True)
class Listed:
    """A parked event of one group."""

    of: ParkingStream
    held: Held

    @property
    def status(self) -> ParkedStatus:
        return self.of.parked.status(self.held)

    @property
    def since(self) -> datetime:
        """When it was parked."""
        return self.of.since(self.held)

    @property
    def behind(self) -> int:
        """How many events wait behind it."""
        return self.of.parked.waiting_behind(self.held)


def listed(
    streams: Iterable[ParkingStream],
    which: str = FIRST,
    *,
    parked: TimeRange = EVER,
    words: str = "",
) -> Sequence[Listed]:
    """The parked events of these groups, newest first.

    ``words``: in the type, the stream or the error. ``ValueError`` for another word than ``WHICH``
    has.
    """
    if which not in WHICH:
        raise ValueError(f"no parked event is {which!r}, but {', '.join(WHICH)}")
    found = [
        one
        for of in streams
        for one in (Listed(of, held) for held in of.parked.held.values())
        if _is_one(one.status, which) and one.since in parked and _has(one.held, words.lower())
    ]
    return sorted(found, key=lambda one: one.since)[::-1]


def _is_one(status: ParkedStatus, which: str) -> bool:
    if which == FIRST:
        return status is not ParkedStatus.WAITING
    return which in ("all", status)


def _has(held: Held, words: str) -> bool:
    event = held.parked
    return words in f"{event.type} {event.stream} {event.error or ''}".lower()
