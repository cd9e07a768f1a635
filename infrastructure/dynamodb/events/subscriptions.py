"""Catch-up subscriptions: the log entry by entry, and of the tiles only those that are wanted."""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final

from application.event_filter import EventFilter
from application.messages import Decoder, RecordedEvent
from application.ports import Progress
from infrastructure.dynamodb.events.entries import Entry
from infrastructure.dynamodb.events.log import Log
from infrastructure.dynamodb.events.streams import Streams

_TOGETHER: Final = 100  # tiles that are fetched at a time


class Subscriptions:
    """The :class:`~application.ports.Subscriptions` and ``StoreFacts`` of one database."""

    def __init__(self, log: Log, streams: Streams, decoder: Decoder) -> None:
        self._log, self._streams, self._decoder = log, streams, decoder
        self._counted: Counter[tuple[str, str]] = Counter()  # by category and type
        self._counted_to = 0
        self._store_id: str | None = None  # until it is known

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, only: EventFilter
    ) -> AsyncIterator[AsyncIterator[RecordedEvent | Progress]]:
        async with aclosing(self._follow(-1 if after is None else after, only)) as events:
            yield events

    async def count(self, only: EventFilter) -> int | None:
        """From the log alone: all of it at first, then only what came since."""
        await self._log.refresh()
        while entries := await self._log.read(self._counted_to):
            for tile in (tile for entry in entries for tile in entry.tiles):
                category, dash, _ = tile.stream.partition("-")
                assert dash  # no other stream can be appended to
                self._counted.update((category, type) for type in tile.types)
            self._counted_to = entries[-1].end
        return only.total(self._counted)

    async def head(self) -> int:
        return await self._log.refresh() - 1

    async def store_id(self) -> str | None:
        """The name of the first commit, which a backup has, too; ``None`` without any."""
        if self._store_id is None and (entries := await self._log.read(0)):
            self._store_id = entries[0].commit
        return self._store_id

    async def _follow(
        self, after: int, only: EventFilter
    ) -> AsyncGenerator[RecordedEvent | Progress, None]:
        place, announced = await self._log.begin(after), False
        while True:
            entries = await self._log.read(place)
            if entries:
                async for event in self._wanted(entries, after, only):
                    yield event
                place, announced = entries[-1].end, False
                after = max(after, place - 1)
                yield Progress(after, caught_up=False)
            elif not announced:
                announced = True
                yield Progress(after, caught_up=True)
            else:
                await self._log.wait(place)

    async def _wanted(
        self, entries: Sequence[Entry], after: int, only: EventFilter
    ) -> AsyncIterator[RecordedEvent]:
        tiles = [tile for entry in entries for tile in entry.tiles if tile.wanted(only)]
        for begin in range(0, len(tiles), _TOGETHER):
            page = tiles[begin : begin + _TOGETHER]
            found = await self._streams.fetch([(tile.stream, tile.version) for tile in page])
            for one in page:
                for event in found[one.stream, one.version].recorded(self._decoder):
                    if event.position > after and event in only:
                        yield event
