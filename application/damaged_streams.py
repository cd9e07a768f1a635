"""Streams of which a part is gone, found by reading them: operators can do what our code cannot."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Final

from application.categories import CATEGORIES
from application.ports import EventStore, Progress, StreamUnusable, Subscriptions, require_version

DECIDED: Final = reduce(or_, (category.ours for category in CATEGORIES if category.commands))
"""Events of streams that something is decided upon; of the others the last event says all."""
_AT_ONCE: Final = 16  # streams that are read together


@dataclass(frozen=True)
class Damage:
    """One stream, and what is wrong with it."""

    stream: str
    what: str


async def damaged(subscriptions: Subscriptions, store: EventStore) -> Sequence[Damage]:
    """All streams of ours that cannot be decided upon, by name. Raises ``StoreUnavailable``.

    Each stream is read twice, its first event and its last.
    """
    ends, found = await _ends(subscriptions)
    limit = asyncio.Semaphore(_AT_ONCE)

    async def look(stream: str) -> None:
        async with limit:
            try:
                await _require_whole(store, stream, ends[stream])
            except StreamUnusable as error:
                found.setdefault(stream, str(error))

    await asyncio.gather(*map(look, ends))
    return [Damage(stream, found[stream]) for stream in sorted(found)]


async def _ends(subscriptions: Subscriptions) -> tuple[dict[str, int], dict[str, str]]:
    """The last version of each stream in the log, and those whose events have a gap there."""
    ends: dict[str, int] = {}
    found: dict[str, str] = {}
    async with subscriptions.catch_up(after=None, only=DECIDED) as messages:
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
