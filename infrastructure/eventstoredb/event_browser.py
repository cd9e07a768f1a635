"""Looking around in EventStoreDB, by the links that its own projections write.

``$ce-<category>``, ``$et-<type>`` and ``$bc-<correlation id>`` hold links to events, ``$streams``
and ``$category-<category>`` name streams. Nothing links an event by its id.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar
from uuid import UUID

from application.catalogue import Catalogue
from application.category import split
from application.messages import RecordedEvent
from application.ports import NEWEST, Found, Incomplete, Reading, StreamSeen, Total, Wanted
from infrastructure.browsing import Kept, deleted, dropped, looked_through, lost_beginning, walk
from infrastructure.eventstoredb.client import Client
from infrastructure.eventstoredb.deletions import is_deleted
from infrastructure.eventstoredb.projection_lag import lag_of
from infrastructure.eventstoredb.slices import SYSTEM, Linked, Slices
from infrastructure.eventstoredb.system_projections import BY_CATEGORY

T = TypeVar("T")

LOOK: Final = 5_000
"""Events, links or names that are looked through for a page, at most."""
LOOK_FOR_STREAMS: Final = 1_000
"""Names or events that are looked through for a page of streams, at most: 80 ms of processor."""
LOOK_FOR_AN_ID: Final = 20_000
"""Events that are looked through for an id: about two seconds."""


class EventBrowser:
    """The :class:`~application.ports.EventBrowser` of one server."""

    def __init__(self, client: Client, catalogue: Catalogue, *, look: int = LOOK) -> None:
        """``look``: events, links or names that are looked through for a page, at most."""
        self.client, self._look = client, look
        self._slices = Slices(client, catalogue)

    async def events(self, wanted: Wanted, reading: Reading = NEWEST) -> Found[RecordedEvent]:
        source, projection = _source(wanted)
        found = await self._events(source, wanted, reading)
        lacks = [*await self._lag(projection), *found.lacks]
        return replace(found, lacks=lacks, total=await self._total(found, source))

    async def stream(self, name: str, reading: Reading = NEWEST) -> Found[RecordedEvent]:
        found = await self._events(name, Wanted(), reading)
        return replace(found, lacks=[*await self._lost(name), *found.lacks])

    async def event(self, id: UUID) -> Found[RecordedEvent]:
        looked = await self._slices.of(None, None, LOOK_FOR_AN_ID, backwards=True, until=id)
        found = [one.event for one in looked[-1:] if one.event and one.event.id == id]
        if found or len(looked) < LOOK_FOR_AN_ID:
            return Found(found)
        return Found([], lacks=[looked_through("EventStoreDB", LOOK_FOR_AN_ID)])

    async def streams(
        self, category: str | None = None, prefix: str = "", reading: Reading = NEWEST
    ) -> Found[StreamSeen]:
        """Of one category, also where only the prefix says so, by ``$stream_by_category``."""
        if category is None and "-" in prefix:
            category, _ = split(prefix)
        source = "$streams" if category is None else f"$category-{category}"
        projection = "$streams" if category is None else "$stream_by_category"

        async def keep(some: Sequence[Linked]) -> Kept[StreamSeen]:
            named = [(one.place, name) for one in some if (name := one.names) is not None]
            own = [one for one in named if one[1].startswith(prefix) and one[1][:1] != SYSTEM]
            last = await self._slices.last_of([name for _, name in own])
            return [(place, StreamSeen(name, last[name])) for place, name in own]

        found = await self._walk(source, keep, reading, min(self._look, LOOK_FOR_STREAMS))
        total = found.total if prefix else await self._total(found, source)
        return replace(found, lacks=await self._lag(projection), total=total)

    async def changed(
        self, category: str | None = None, reading: Reading = NEWEST
    ) -> Found[StreamSeen]:
        source = None if category is None else f"$ce-{category}"
        wanted = Wanted(category)

        async def keep(some: Sequence[Linked]) -> Kept[StreamSeen]:
            there = [(one.place, one.event) for one in some if one.event]
            own = [(place, event) for place, event in there if wanted.admits(event)]
            last = await self._slices.last_of([event.stream for _, event in own])
            return [
                (place, StreamSeen(event.stream, event))
                for place, event in own
                if (newest := last[event.stream]) and newest.version == event.version
            ]

        found = await self._walk(source, keep, reading, min(self._look, LOOK_FOR_STREAMS))
        names = "$streams" if category is None else f"$category-{category}"
        lacks = await self._lag(None if category is None else BY_CATEGORY)
        return replace(found, lacks=lacks, total=await self._total(found, names))

    async def _events(
        self, source: str | None, wanted: Wanted, reading: Reading
    ) -> Found[RecordedEvent]:
        gone = 0

        async def keep(some: Sequence[Linked]) -> Kept[RecordedEvent]:
            nonlocal gone
            gone += sum(one.event is None and not one.of_deletion for one in some)
            there = [(one.place, one.event) for one in some if one.event]
            return [(place, event) for place, event in there if wanted.admits(event)]

        found = await self._walk(source, keep, reading, self._look)
        return replace(found, lacks=[dropped(source or "$all", gone)] if gone else [])

    async def _walk(
        self,
        source: str | None,
        keep: Callable[[Sequence[Linked]], Awaitable[Kept[T]]],
        reading: Reading,
        look: int,
    ) -> Found[T]:
        backwards = reading.newest_first
        return await walk(
            lambda after, size: self._slices.of(source, after, size, backwards=backwards),
            keep,
            reading,
            look,
        )

    async def _total(self, found: Found[Any], source: str | None) -> Total | None:
        """As the page knows it, or the number of links: the events of some may be deleted.

        The server does not count the events of all streams.
        """
        if source is None or (found.total and found.total.exact):
            return found.total
        last = await self._slices.of(source, None, 1, backwards=True)
        return Total(last[0].place + 1, "at most") if last else found.total

    async def _lag(self, projection: str | None) -> Sequence[Incomplete]:
        if projection is None:
            return []
        lag = await lag_of(self.client, self._slices, projection)
        return [lag] if lag else []

    async def _lost(self, stream: str) -> Sequence[Incomplete]:
        """What operators have removed of a stream."""
        if stream.startswith(SYSTEM):
            return []
        first = await self._slices.of(stream, None, 1, backwards=False)
        if first:
            return [lost_beginning(stream, first[0].place)] if first[0].place else []
        return [deleted(stream)] if await is_deleted(self.client, stream) else []


def _source(wanted: Wanted) -> tuple[str | None, str | None]:
    """The stream to look through, ``None`` for all events, and the projection that writes it."""
    if wanted.correlation_id is not None:
        return f"$bc-{wanted.correlation_id}", "$by_correlation_id"
    if wanted.type is not None:
        return f"$et-{wanted.type}", "$by_event_type"
    if wanted.category is not None:
        return f"$ce-{wanted.category}", BY_CATEGORY
    return None, None
