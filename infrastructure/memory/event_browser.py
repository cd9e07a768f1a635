"""Looking around in the memory store: by going through its whole log."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from application.messages import RecordedEvent
from application.ports import NEWEST, Found, Reading, StreamSeen, Wanted
from infrastructure.browsing import chosen, deleted, lost_beginning, position, version
from infrastructure.memory.event_store import EventStore


class EventBrowser:
    """The :class:`~application.ports.EventBrowser` of one memory store."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    async def events(self, wanted: Wanted, reading: Reading = NEWEST) -> Found[RecordedEvent]:
        return chosen(filter(wanted.admits, self._all()), position, reading)

    async def stream(self, name: str, reading: Reading = NEWEST) -> Found[RecordedEvent]:
        shown = self._store.shown(name)
        found = chosen(shown, version, reading)
        if not shown and self._store.is_deleted(name):
            return replace(found, lacks=[deleted(name)])
        first = shown[0].version if shown else 0
        return replace(found, lacks=[lost_beginning(name, first)]) if first else found

    async def event(self, id: UUID) -> Found[RecordedEvent]:
        return Found([event for event in self._all() if event.id == id])

    async def streams(
        self, category: str | None = None, prefix: str = "", reading: Reading = NEWEST
    ) -> Found[StreamSeen]:
        wanted = Wanted(category)
        first = (one for one in self._all() if one.version == 0 and wanted.admits(one))
        named = (one for one in first if one.stream.startswith(prefix))
        return self._seen(chosen(named, position, reading))

    async def changed(
        self, category: str | None = None, reading: Reading = NEWEST
    ) -> Found[StreamSeen]:
        last = {one.stream: one for one in filter(Wanted(category).admits, self._all())}
        return self._seen(chosen(sorted(last.values(), key=position), position, reading))

    def _all(self) -> Sequence[RecordedEvent]:
        return self._store.after(-1, self._store.last_position + 1)

    def _seen(self, found: Found[RecordedEvent]) -> Found[StreamSeen]:
        seen = [StreamSeen(one.stream, self._last(one.stream)) for one in found.items]
        return Found(seen, found.begins, found.reached, found.more, total=found.total)

    def _last(self, stream: str) -> RecordedEvent | None:
        shown = self._store.shown(stream)
        return shown[-1] if shown else None
