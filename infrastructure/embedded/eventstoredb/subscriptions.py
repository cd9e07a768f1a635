"""Catch-up subscriptions: all that was recorded after a point, and then all that is, as it comes.

A subscription reads pages from the log at the pace of its client, so a slow client costs no memory.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from infrastructure.embedded.eventstoredb.errors import StreamDeleted, invalid_position
from infrastructure.embedded.eventstoredb.filters import Filter
from infrastructure.embedded.eventstoredb.read_options import END, Position
from infrastructure.embedded.eventstoredb.storage import PAGE, Log, Record
from infrastructure.embedded.eventstoredb.streams import (
    STREAM_DELETED,
    Resolved,
    is_deleted,
    read_stream,
    resolve,
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Nothing up to this position is left to come."""

    position: int


class CaughtUp:
    """All that was there has been sent; from now on events come as they are recorded."""


Signal = Resolved | Checkpoint | CaughtUp


class LogSubscription:
    """``$all`` after a position, filtered; a checkpoint every ``interval`` considered records."""

    def __init__(
        self,
        storage: Log,
        start: Position,
        wanted: Filter,
        *,
        resolve_links: bool = False,
        interval: int | None = None,
    ) -> None:
        """``start`` END is the end of the log as it stands now."""
        self._storage = storage
        last = storage.last_position
        self._start = Position(last, last) if start == END else start
        self._after = self._start.commit - (self._start.prepare < self._start.commit)
        self._wanted = wanted
        self._resolve_links = resolve_links
        self._interval = interval
        self._considered = 0
        self._checkpoint = -1

    async def pages(self) -> AsyncIterator[list[Signal]]:
        """Signals in log order, without end.

        Raises a Refusal when the position to start after is within the log, but at no record.
        """
        start = self._start.commit
        if 0 <= start < self._storage.last_position and not self._storage.record_at(start):
            raise invalid_position()
        caught_up = self._after >= self._storage.last_position
        if caught_up:
            yield [CaughtUp()]
        while True:
            page = self._storage.read_log(self._after)
            if page:
                # one page is what it may fall behind by, and still count as live
                caught_up = caught_up and page[-1].position >= self._storage.last_position
                yield [signal for record in page for signal in self._consider(record)]
                await asyncio.sleep(0)  # a page that nobody wants must not hold up the others
            elif not caught_up:
                caught_up = True
                yield [*self._checkpoint_at(self._after), CaughtUp()]
            else:
                await self._storage.beyond(self._after)

    def _consider(self, record: Record) -> list[Signal]:
        self._after = record.position
        self._considered += 1
        signals: list[Signal] = []
        if self._wanted(record):
            resolved = resolve(self._storage, record) if self._resolve_links else None
            signals.append(resolved or Resolved(record, None))
        if self._interval and self._considered % self._interval == 0:
            signals += self._checkpoint_at(record.position)
        return signals

    def _checkpoint_at(self, position: int) -> list[Signal]:
        if not self._interval or position <= self._checkpoint:
            return []
        self._checkpoint = position
        return [Checkpoint(position)]


class StreamSubscription:
    """One stream after a version. It ends, with StreamDeleted, when the stream is tombstoned."""

    def __init__(
        self, storage: Log, name: str, after: int | None, *, resolve_links: bool = False
    ) -> None:
        """``after`` None is the end of the stream as it stands now. Raises StreamDeleted."""
        stream = storage.stream(name)
        if is_deleted(storage, stream):
            raise StreamDeleted(name)
        self._storage = storage
        self._name = name
        self._after = stream.last_version if after is None else after
        self._resolve_links = resolve_links

    async def pages(self) -> AsyncIterator[list[Signal]]:
        """Signals in the order of the stream, without end. Raises StreamDeleted."""
        caught_up = False
        while True:
            seen = self._storage.last_position
            if page := self._read():
                self._after = page[-1].version
                caught_up = caught_up and len(page) < PAGE
                yield [self._deliver(record) for record in page]
                if page[-1].type == STREAM_DELETED:
                    raise StreamDeleted(self._name)
                await asyncio.sleep(0)
            elif not caught_up:
                caught_up = True
                yield [CaughtUp()]
            else:
                await self._storage.beyond(seen)

    def _read(self) -> list[Record]:
        stream = self._storage.stream(self._name)
        if self._after >= stream.last_version:
            return []
        if stream.tombstoned:  # what is left to send, the tombstone too
            return self._storage.read_stream(stream, self._after + 1)
        return read_stream(self._storage, stream, self._after + 1)

    def _deliver(self, record: Record) -> Signal:
        return resolve(self._storage, record) if self._resolve_links else Resolved(record, None)
