"""Catch-up subscriptions over the memory store."""

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager

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
        self, *, after: int | None, types: Collection[str]
    ) -> AsyncIterator[AsyncIterator[RecordedEvent | Progress]]:
        async with aclosing(self._follow(-1 if after is None else after, types)) as events:
            yield events

    async def count(self, types: Collection[str]) -> int | None:
        return sum(recorded.type in types for recorded in self._store.after(-1, sys.maxsize))

    async def store_id(self) -> str | None:
        first = self._store.after(-1, 1)
        return str(first[0].id) if first else None

    async def _follow(
        self, position: int, types: Collection[str]
    ) -> AsyncGenerator[RecordedEvent | Progress, None]:
        while True:
            for recorded in self._store.after(position, _PAGE):
                position = recorded.position
                if recorded.type in types:
                    yield recorded
            yield Progress(position, caught_up=position >= self._store.last_position)
            while position >= self._store.last_position:
                await self._store.bell.heard()
