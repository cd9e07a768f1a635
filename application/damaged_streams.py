"""Streams of which events are gone, found by reading them. Only operators can remove events."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from application.catalogue import Catalogue
from application.event_filter import EventFilter
from application.ports import EventStore, StreamUnusable, require_version
from application.whole_log import EventLog, Report, Step, unreported, whole_log

_AT_ONCE: Final = 16  # streams that are read together
_FIRST: Final = 10  # events: most streams have no more, so that one read shows both ends


@dataclass(frozen=True)
class Damage:
    """One stream, and what is wrong with it."""

    stream: str
    what: str


async def damaged(
    log: EventLog, store: EventStore, catalogue: Catalogue, report: Report = unreported
) -> Sequence[Damage]:
    """All damaged streams of the service, by name; ``report`` gets what it is at.

    Each stream is read by itself, its first events and its last. Raises ``StoreUnavailable``.
    """
    decided = [category.own.pairs for category in catalogue.categories if not category.records]
    ends, found = await _ends(log, EventFilter(frozenset().union(*decided)), report)
    limit, done = asyncio.Semaphore(_AT_ONCE), 0

    async def look(stream: str) -> None:
        nonlocal done
        async with limit:
            try:
                await _require_whole(store, stream, ends[stream])
            except StreamUnusable as error:
                found.setdefault(stream, str(error))
        done += 1
        report(Step("reading both ends of each stream", done, done / len(ends)))

    await asyncio.gather(*map(look, ends))
    return [Damage(stream, found[stream]) for stream in sorted(found)]


async def _ends(
    log: EventLog, decided: EventFilter, report: Report
) -> tuple[dict[str, int], dict[str, str]]:
    """The last version of each stream in the log, and the streams with a gap there."""
    ends: dict[str, int] = {}
    found: dict[str, str] = {}
    async with whole_log(log, decided, report) as events:
        async for recorded in events:
            stream, version = recorded.stream, recorded.version
            try:
                require_version(stream, ends.get(stream, -1) + 1, version)
            except StreamUnusable as error:
                found.setdefault(stream, str(error))
            ends[stream] = version
    return ends, found


async def _require_whole(store: EventStore, stream: str, last: int) -> None:
    expected = 0
    async for recorded in store.read(stream, limit=_FIRST):
        require_version(stream, expected, recorded.version)
        expected += 1
    if expected > last:
        return
    async for newest in store.read(stream, backwards=True, limit=1):
        if newest.version >= last:
            return
    raise StreamUnusable(stream, f"has lost version {last}, its last one")
