"""Catch-up subscriptions over the memory store."""

import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.ports import Progress
from infrastructure.memory.event_store import EventStore

_PAGE = 200


class Subscriptions:
    """The :class:`~application.ports.Subscriptions` and ``StoreFacts`` of one memory store."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, only: EventFilter
    ) -> AsyncIterator[AsyncIterator[RecordedEvent | Progress]]:
        async with aclosing(self._follow(-1 if after is None else after, only)) as events:
            yield events

    async def count(self, only: EventFilter) -> int | None:
        return sum(recorded in only for recorded in self._store.after(-1, sys.maxsize))

    async def head(self) -> int:
        return self._store.last_position

    async def store_id(self) -> str | None:
        """The id of the first event of ours."""
        own = self._store.catalogue.own
        found = (one for one in self._store.after(-1, sys.maxsize) if one in own)
        return next((str(one.id) for one in found), None)

    async def _follow(
        self, position: int, only: EventFilter
    ) -> AsyncGenerator[RecordedEvent | Progress, None]:
        while True:
            for recorded in self._store.after(position, _PAGE):
                position = recorded.position
                if recorded in only:
                    yield recorded
            yield Progress(position, caught_up=position >= self._store.last_position)
            while position >= self._store.last_position:
                await self._store.changed.wait()
