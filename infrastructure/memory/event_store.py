"""Streams in memory, and the log of all events that subscriptions and consumer groups read."""

import asyncio
from bisect import bisect_right
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime

from application.catalogue import Catalogue
from application.messages import NewEvent, RecordedEvent
from application.ports import (
    Appended,
    StreamDeleted,
    StreamHasHole,
    WrongExpectedVersion,
    require_append,
)
from infrastructure.signalling import Signal


def _now() -> datetime:
    return datetime.now(UTC)


class EventStore:
    """An :class:`~application.ports.EventStore`. To be used on one event loop."""

    def __init__(self, catalogue: Catalogue, clock: Callable[[], datetime] = _now) -> None:
        self.catalogue = catalogue
        self.changed = Signal()
        self._clock = clock
        self._log: list[RecordedEvent] = []
        self._streams: defaultdict[str, list[RecordedEvent]] = defaultdict(list)
        self._end = 0
        self._deleted: set[str] = set()
        self._hidden: dict[str, int] = {}  # by stream: so many of its events, from the first

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        require_append(stream, events, expected_version)
        await asyncio.sleep(0)  # as on a network, another task may be first
        if stream in self._deleted:
            raise StreamDeleted(stream)
        stored = self._streams[stream]
        if expected_version == len(stored) - 1:
            self._write(stream, events)
        there = stored[expected_version + 1 : expected_version + 1 + len(events)]
        if [recorded.id for recorded in there] != [event.id for event in events]:
            raise WrongExpectedVersion(stream, expected_version, len(stored) - 1)
        return Appended(there[-1].version, there[-1].position)

    async def read(
        self,
        stream: str,
        *,
        from_version: int = 0,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        await asyncio.sleep(0)
        if stream in self._deleted:
            raise StreamDeleted(stream)
        hidden = self._hidden.get(stream, 0)
        events = self._streams.get(stream, [])
        if not backwards and from_version < min(hidden, len(events)):
            raise StreamHasHole(stream, from_version, hidden if hidden < len(events) else None)
        events = events[max(from_version, hidden) :]
        for recorded in (events[::-1] if backwards else events)[:limit]:
            yield recorded

    def _write(self, stream: str, events: Sequence[NewEvent]) -> None:
        for event in events:
            metadata = event.metadata.to_json()
            recorded = RecordedEvent(
                id=event.id,
                type=event.type,
                data=event.data,
                metadata_json=metadata,
                stream=stream,
                version=len(self._streams[stream]),
                position=self._end,
                recorded_at=self._clock(),
                decoder=self.catalogue,
            )
            self._end += len(event.data) + len(metadata) + 1  # bytes: positions have gaps
            self._streams[stream].append(recorded)
            self._log.append(recorded)
        self.changed.send()

    # What operators can do with a store, and no port can.

    def truncate(self, stream: str, before: int) -> None:
        """Hide the events before that version."""
        self._hidden[stream] = before

    def delete(self, stream: str) -> None:
        """Delete a stream."""
        self._deleted.add(stream)

    def restore(self, position: int) -> None:
        """Restore a backup that ends at that position."""
        self._log = [recorded for recorded in self._log if recorded.position <= position]
        self._streams.clear()
        for recorded in self._log:
            self._streams[recorded.stream].append(recorded)
        self._end = self.last_position + 1

    def is_deleted(self, stream: str) -> bool:
        """Whether an operator has deleted it."""
        return stream in self._deleted

    def shown(self, stream: str) -> Sequence[RecordedEvent]:
        """What operators have left of a stream, oldest first."""
        if self.is_deleted(stream):
            return []
        return self._streams.get(stream, [])[self._hidden.get(stream, 0) :]

    @property
    def last_position(self) -> int:
        """The position of the newest event, -1 when there is none."""
        return self._log[-1].position if self._log else -1

    def after(self, position: int, limit: int) -> Sequence[RecordedEvent]:
        """At most ``limit`` events of all streams beyond ``position``, in order."""
        start = bisect_right(self._log, position, key=lambda recorded: recorded.position)
        return self._log[start : start + limit]
