"""Looking around in DynamoDB, by its log: no index is kept for it, so nothing is written for it.

The log names the stream and the types of each tile, which finds events by category and type, and
streams, without reading the events. A correlation id is in the events alone, so their tiles are
read. Each page looks through a limited part of the log.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from application.category import split
from application.messages import Decoder, RecordedEvent
from application.ports import NEWEST, Found, Incomplete, Reading, StreamSeen, Total, Wanted
from infrastructure.browsing import (
    Kept,
    dropped,
    looked_through,
    lost_beginning,
    page_of,
    place_in,
    version,
    walk,
)
from infrastructure.dynamodb.at_once import at_once
from infrastructure.dynamodb.events.entries import Entry
from infrastructure.dynamodb.events.log import PAGE, Log
from infrastructure.dynamodb.events.streams import Address, Gone, Streams
from infrastructure.dynamodb.events.tiles import Tile

LOOK: Final = 10_000
"""Events that are looked through in the log for a page, at most."""
LOOK_INSIDE: Final = 2_000
"""Events that are read for a page, or for an id, at most."""
_NO_INDEX: Final = Incomplete(
    "DynamoDB",
    f"has no index of correlations: a page looks through {LOOK_INSIDE:,} events",
    "Read on, or begin with an event or a stream of the request.",
)


@dataclass(frozen=True)
class Named:
    """An event, as the log names it; its place is its position."""

    place: int
    stream: str
    version: int
    type: str
    tile: Address


Slice = Callable[[int | None, int], Awaitable[Sequence[Named]]]


class EventBrowser:
    """The :class:`~application.ports.EventBrowser` of one database."""

    def __init__(self, log: Log, streams: Streams, decoder: Decoder, *, look: int = LOOK) -> None:
        """``look``: events that are looked through in the log for a page, at most."""
        self._log, self._streams, self._decoder, self._look = log, streams, decoder, look

    async def events(self, wanted: Wanted, reading: Reading = NEWEST) -> Found[RecordedEvent]:
        gone = 0

        async def keep(some: Sequence[Named]) -> Kept[RecordedEvent]:
            nonlocal gone
            named = [one for one in some if _named(one, wanted)]
            there = await self._recorded(named)
            gone += len(named) - len(there)
            return [(one.position, one) for one in there if wanted.admits(one)]

        look = self._look if wanted.correlation_id is None else min(self._look, LOOK_INSIDE)
        if wanted.near is not None and reading.after is None and not reading.newest_first:
            begin = max(0, wanted.near - look // 2)
            reading = replace(reading, after=str(begin - 1) if begin else None)
        found = await walk(self._slice_of(reading), keep, reading, look)
        lacks = [] if wanted.correlation_id is None else [_NO_INDEX]
        lacks += [dropped("the log", gone)] if gone else []
        return replace(found, lacks=lacks, total=await self._total(found, wanted))

    async def stream(self, name: str, reading: Reading = NEWEST) -> Found[RecordedEvent]:
        after, limit = place_in(reading), reading.limit + 1
        events = self._newest if reading.newest_first else self._oldest
        found = page_of(await events(name, after, limit), version, reading)
        first = await self._oldest(name, None, 1)
        lost = [lost_beginning(name, first[0].version)] if first and first[0].version else []
        return replace(found, lacks=lost)

    async def event(self, id: UUID) -> Found[RecordedEvent]:
        some = await self._backwards(None, LOOK_INSIDE)
        found = [one for one in await self._recorded(some) if one.id == id]
        if found or len(some) < LOOK_INSIDE:
            return Found(found)
        return Found([], lacks=[looked_through("DynamoDB", len(some))])

    async def streams(
        self, category: str | None = None, prefix: str = "", reading: Reading = NEWEST
    ) -> Found[StreamSeen]:
        async def keep(some: Sequence[Named]) -> Kept[StreamSeen]:
            begun = [one for one in some if one.version == 0 and one.stream.startswith(prefix)]
            own = [one for one in begun if _named(one, Wanted(category))]
            last = await at_once(self._last, [one.stream for one in own])
            return [
                (one.place, StreamSeen(one.stream, event))
                for one, event in zip(own, last, strict=True)
            ]

        return await walk(self._slice_of(reading), keep, reading, self._look)

    async def changed(
        self, category: str | None = None, reading: Reading = NEWEST
    ) -> Found[StreamSeen]:
        async def keep(some: Sequence[Named]) -> Kept[StreamSeen]:
            own = [one for one in some if _named(one, Wanted(category))]
            streams = list(dict.fromkeys(one.stream for one in own))
            last = dict(zip(streams, await at_once(self._last, streams), strict=True))
            return [
                (one.place, StreamSeen(one.stream, event))
                for one in own
                if (event := last[one.stream]) and event.version == one.version
            ]

        return await walk(self._slice_of(reading), keep, reading, min(self._look, LOOK_INSIDE))

    async def _total(self, found: Found[RecordedEvent], wanted: Wanted) -> Total | None:
        """As the page knows it; of all events, the position of the next one: some may be gone."""
        whole = replace(wanted, near=None) == Wanted()
        if not whole or (found.total and found.total.exact):
            return found.total
        return Total(await self._log.end(), "at most")

    def _slice_of(self, reading: Reading) -> Slice:
        return self._backwards if reading.newest_first else self._forwards

    async def _backwards(self, after: int | None, size: int) -> Sequence[Named]:
        """Events before that position, newest first."""
        end = await self._log.refresh() if after is None else after
        found: list[Named] = []
        place = end
        while len(found) < size:
            entries = await self._log.before(place, min(PAGE, size))
            if not entries:
                break
            for entry in entries:
                found += [one for one in reversed(list(_events(entry))) if one.place < end]
            place = entries[-1].first
        return found[:size]

    async def _forwards(self, after: int | None, size: int) -> Sequence[Named]:
        """Events behind that position, oldest first."""
        behind = -1 if after is None else after
        place = await self._log.begin(behind)
        found: list[Named] = []
        while len(found) < size and (entries := await self._log.read(place)):
            for entry in entries:
                found += [one for one in _events(entry) if one.place > behind]
            place = entries[-1].end
        return found[:size]

    async def _recorded(self, named: Sequence[Named]) -> Sequence[RecordedEvent]:
        """The events, in that order, without those that are gone."""
        addresses = list(dict.fromkeys(one.tile for one in named))
        try:
            tiles = await self._streams.fetch(addresses)
        except Gone:
            found = await at_once(self._fetched, addresses)
            tiles = {at: tile for one in found for at, tile in one.items()}
        return [
            tiles[one.tile].recorded(self._decoder)[one.version - one.tile[1]]
            for one in named
            if one.tile in tiles
        ]

    async def _fetched(self, address: Address) -> Mapping[Address, Tile]:
        with suppress(Gone):
            return await self._streams.fetch([address])
        return {}

    async def _last(self, stream: str) -> RecordedEvent | None:
        found = await self._newest(stream, None, 1)
        return found[0] if found else None

    async def _newest(self, stream: str, after: int | None, limit: int) -> Sequence[RecordedEvent]:
        found: list[RecordedEvent] = []
        async for tile in self._streams.newest(stream, limit=limit, before=after):
            some = reversed(tile.recorded(self._decoder))
            found += [one for one in some if after is None or one.version < after]
            if len(found) >= limit:
                break
        return found[:limit]

    async def _oldest(self, stream: str, after: int | None, limit: int) -> Sequence[RecordedEvent]:
        found: list[RecordedEvent] = []
        start = 0 if after is None else after + 1
        async for tile in self._streams.tiles(stream, start, limit=limit):
            found += [one for one in tile.recorded(self._decoder) if one.version >= start]
            if len(found) >= limit:
                break
        return found[:limit]


def _events(entry: Entry) -> Iterator[Named]:
    """The events of a commit, in order."""
    for tile in entry.tiles:
        for count, type in enumerate(tile.types):
            address = (tile.stream, tile.version)
            yield Named(tile.position + count, tile.stream, tile.version + count, type, address)


def _named(one: Named, wanted: Wanted) -> bool:
    """Whether its name and its type are wanted."""
    return (wanted.category is None or split(one.stream)[0] == wanted.category) and (
        wanted.type is None or one.type == wanted.type
    )
