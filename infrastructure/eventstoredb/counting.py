"""Counts events by reading them, each once, since the server does not count them.

It only counts the links of a type or a category, which include events of other systems.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Final

from esdbclient.exceptions import DeadlineExceeded

from application.event_filter import EventFilter
from infrastructure.eventstoredb.client import DEADLINE, Client, by_type, unavailable
from infrastructure.eventstoredb.places import required
from infrastructure.eventstoredb.reads import require_whole

_PORTION: Final = 5_000  # events that one call reads, at most: half a second


class Counting:
    """Remembers what it has counted, and how far it has come."""

    def __init__(self, client: Client, own: EventFilter) -> None:
        """``own``: counted from the first call on; filters within it cost no further read."""
        self._client, self._turn = client, asyncio.Lock()
        self._begin(own)

    async def count(self, only: EventFilter) -> int | None:
        """The exact number; ``None`` until it has read to the end. Raises ``StoreUnavailable``."""
        async with self._turn:
            if not self._only.covers(only):
                self._begin(self._only | only)
            at_the_end = await self._read_on()
        return only.total(self._counted) if at_the_end else None

    def _begin(self, only: EventFilter) -> None:
        self._only, self._position = only, -1
        self._counted: Counter[tuple[str, str]] = Counter()

    async def _read_on(self) -> bool:
        """Whether there was nothing more to count."""
        read = 0
        with unavailable():
            async with await self._client.read_all(
                commit_position=None if self._position < 0 else self._position,
                filter_include=by_type(self._only),
                limit=_PORTION,
                timeout=DEADLINE,
            ) as events:
                with suppress(DeadlineExceeded):  # much that is not ours lies in between
                    async for event in events:
                        read += 1
                        self._take(event.stream_name, event.type, event.commit_position)
                    require_whole(events)
                    return read < _PORTION
        return False

    def _take(self, stream: str, type: str, commit: int | None) -> None:
        position = required(-1 if commit is None else commit, "the position of an event")
        if position > self._position:  # a read begins with the event at its position
            self._position = position
            if self._only.admits(stream, type):
                self._counted[stream.partition("-")[0], type] += 1
