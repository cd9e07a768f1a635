"""Streams of which events are gone, found by reading them. Only operators can remove events."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from application.catalogue import Catalogue
from application.event_filter import EventFilter
from application.ports import EventStore, Progress, StreamUnusable, Subscriptions, require_version

_AT_ONCE: Final = 16  # streams that are read together


@dataclass(frozen=True)
class Damage:
    """One stream, and what is wrong with it."""

    stream: str
    what: str


async def damaged(
    subscriptions: Subscriptions, store: EventStore, catalogue: Catalogue
) -> Sequence[Damage]:
    """All damaged streams of the service, by name. Raises ``StoreUnavailable``.

    Each stream is read twice, its first event and its last.
    """
    decided = [category.own.pairs for category in catalogue.categories if not category.records]
    ends, found = await _ends(subscriptions, EventFilter(frozenset().union(*decided)))
    limit = asyncio.Semaphore(_AT_ONCE)

    async def look(stream: str) -> None:
        async with limit:
            try:
                await _require_whole(store, stream, ends[stream])
            except StreamUnusable as error:
                found.setdefault(stream, str(error))

    await asyncio.gather(*map(look, ends))
    return [Damage(stream, found[stream]) for stream in sorted(found)]


async def _ends(
    subscriptions: Subscriptions, decided: EventFilter
) -> tuple[dict[str, int], dict[str, str]]:
    """The last version of each stream in the log, and the streams with a gap there."""
    ends: dict[str, int] = {}
    found: dict[str, str] = {}
    async with subscriptions.catch_up(after=None, only=decided) as messages:
        async for message in messages:
            if isinstance(message, Progress):
                if message.caught_up:
                    break
                continue
            try:
                require_version(message.stream, ends.get(message.stream, -1) + 1, message.version)
            except StreamUnusable as error:
                found.setdefault(message.stream, str(error))
            ends[message.stream] = message.version
    return ends, found


async def _require_whole(store: EventStore, stream: str, last: int) -> None:
    async for first in store.read(stream, limit=1):
        require_version(stream, 0, first.version)
    async for newest in store.read(stream, backwards=True, limit=1):
        if newest.version >= last:
            return
    raise StreamUnusable(stream, f"has lost version {last}, its last one")
