"""The history of one stream: each event with the state before and after it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from application.browsing.documents import Difference, differences, plain
from application.browsing.places import Looking, NothingFound
from application.category import Category, split
from application.claim_check import claim_all
from application.messages import RecordedEvent, UnreadableEvent
from application.ports import Incomplete, PayloadUnavailable, Reading

LONGEST: Final = 20_000
"""Events of a stream that are folded, at most."""
_PAGE: Final = 500


@dataclass(frozen=True)
class Change:
    """One event of a stream, and what it changed."""

    recorded: RecordedEvent
    before: Any
    """The state before it, as data; ``None`` where it is unknown."""
    after: Any
    changed: Sequence[Difference]


@dataclass(frozen=True)
class History:
    """A part of a stream's events, oldest first."""

    stream: str
    changes: Sequence[Change]
    more: bool
    """Whether there are later events; they begin after the version of the last one here."""
    unknown: str | None
    """Why states are unknown, where they are: a category without a decider, a hole, old bytes."""
    lacks: Sequence[Incomplete] = ()


async def history(looking: Looking, stream: str, *, first: int = 0, limit: int = 100) -> History:
    """At most ``limit`` events from version ``first`` on.

    Raises :class:`NothingFound` for a stream without events, and ``StoreUnavailable``.
    """
    fold, changes, more = _Fold(_category(looking, stream)), list[Change](), False
    lacks = (await looking.browser.stream(stream, Reading(limit=1))).lacks
    found = False
    async for recorded in _events(looking, stream, fold):
        found = True
        if len(changes) == limit:
            more = True
            break
        before = fold.state
        fold.take_in(recorded)
        if recorded.version >= first:
            changed = differences(before, fold.state) if fold.known else ()
            changes.append(Change(recorded, before, fold.state, changed))
    if not found:
        why = "; ".join(map(str, lacks))
        raise NothingFound(f"{stream} has no events" + (f": {why}" if why else ""))
    return History(stream, changes, more, fold.unknown, lacks)


async def as_it_was(looking: Looking, stream: str, version: int) -> Change:
    """The state of a stream at that version, with the event that led to it.

    Raises :class:`NothingFound` for a version that the stream does not have, and
    ``StoreUnavailable``.
    """
    found = await history(looking, stream, first=version, limit=1)
    for change in found.changes:
        if change.recorded.version == version:
            return change
    raise NothingFound(f"{stream} has no version {version}")


def _category(looking: Looking, stream: str) -> Category | None:
    name, _ = split(stream)
    categories = looking.service.catalogue.categories
    return next((one for one in categories if one.name == name and not one.records), None)


class _Fold:
    """The state as far as it was folded, as data; unknown from the first event that cannot be."""

    def __init__(self, category: Category | None) -> None:
        self._category, self._next = category, 0
        self._state: Any = category.decider.initial if category else None
        self.unknown: str | None = None if category else "no decider is declared for it"
        self.state: Any = plain(self._state) if category else None

    @property
    def known(self) -> bool:
        return self.unknown is None

    def stop(self, why: str) -> None:
        """The state is unknown from here on."""
        self.unknown = self.unknown or why
        self.state = None

    def take_in(self, recorded: RecordedEvent) -> None:
        if self._category is None or not self.known:
            return
        if recorded.version != self._next:
            self.stop(f"version {self._next} is missing")
            return
        try:
            self._state = self._category.decider.evolve(self._state, recorded.event)
        except UnreadableEvent as error:
            self.stop(str(error))
            return
        self.state = plain(self._state)
        self._next += 1


async def _events(looking: Looking, stream: str, fold: _Fold) -> AsyncIterator[RecordedEvent]:
    """The stream from its beginning, with full data, at most ``LONGEST`` events."""
    after: str | None = None
    for _ in range(LONGEST // _PAGE):
        found = await looking.browser.stream(stream, Reading(False, after, _PAGE))
        events = found.items
        try:
            events = await claim_all(events, looking.payloads)
        except PayloadUnavailable as error:
            fold.stop(str(error))
        for recorded in events:
            yield recorded
        if not found.more:
            return
        after = found.reached
    fold.stop(f"only its first {LONGEST:,} events are folded")
