"""Catch-up subscriptions: all records after a position, then new records as they are appended.

A subscription reads from the log at the pace of its client, so a slow client costs no memory.
"""

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from dataclasses import dataclass

from embedded_eventstoredb.checkpoints import Checkpoints
from embedded_eventstoredb.errors import StreamDeleted, invalid_position
from embedded_eventstoredb.filters import Filter
from embedded_eventstoredb.link_targets import resolve_all
from embedded_eventstoredb.read_options import END, Position
from embedded_eventstoredb.readers import READ_AT_ONCE, Readers
from embedded_eventstoredb.storage import Log, Record
from embedded_eventstoredb.streams import (
    STREAM_DELETED,
    Resolved,
    is_deleted,
    read_stream,
    resolve,
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All matching events up to this position have been sent."""

    position: Position


class CaughtUp:
    """All existing events have been sent; from now on, events are sent as they are appended."""


Signal = Resolved | Checkpoint | CaughtUp


class LogSubscription:
    """A subscription to ``$all`` after a position, with a filter, and optionally with
    checkpoints.
    """

    def __init__(
        self,
        storage: Log,
        readers: Readers,
        start: Position,
        wanted: Filter,
        *,
        resolve_links: bool = False,
        window: tuple[int, int] | None = None,
    ) -> None:
        """``start`` END: the current end of the log.

        ``window`` and its multiplier determine how often there is a checkpoint; None: never.
        """
        self._storage = storage
        self._readers = readers
        last = Position(storage.last_position, storage.last_position)
        self._start = last if start == END else start
        self._live = self._start >= last
        self._sent_to = self._start.commit - (self._start.prepare < self._start.commit)
        # the server reads the start again, which its counts include
        self._after = self._start.commit - (not self._live)
        self._behind = False
        self._wanted = wanted
        self._resolve_links = resolve_links
        self._checkpoints = Checkpoints(self._start, *window) if window else None

    async def signals(self) -> AsyncGenerator[Iterable[Signal], None]:
        """Signals in log order, a few at a time, without end.

        Raises a Refusal if the start is within the log, but not at a record, or if the filter takes
        too long; also during iteration.
        """
        self._check_start()
        if self._live:
            yield [CaughtUp()]
        try:
            while True:
                if records := await self._readers.next(self):
                    yield self._considered(records)
                elif self._live:
                    await self._storage.beyond(self._after)
                else:
                    yield self._caught_up()
        finally:
            self._readers.leave(self)

    def read_page(self) -> list[Record]:
        """The next records of the log.

        A live subscription that has not reached its end has fallen behind.
        """
        page = self._storage.read_log(self._after, limit=READ_AT_ONCE)
        self._behind = bool(page) and page[-1].position < self._storage.last_position
        return page

    def handed_out(self, records: Sequence[Record]) -> None:
        self._after = records[-1].position

    def _check_start(self) -> None:
        start = self._start.commit
        if 0 <= start < self._storage.last_position and not self._storage.record_at(start):
            raise invalid_position()

    def _considered(self, records: Iterable[Record]) -> Iterator[Signal]:
        if self._live and self._behind:
            self._live = False
            if self._checkpoints:
                yield from _checkpoint(self._checkpoints.fell_behind())
        for record in records:
            matches = self._wanted(record)
            sent = matches and record.position > self._sent_to
            if sent:
                resolved = resolve(self._storage, record) if self._resolve_links else None
                yield resolved or Resolved(record, None)
            if self._checkpoints and (sent or not self._live or not self._checkpoints.passes()):
                yield from _checkpoint(self._due(self._checkpoints, record, matches, sent))

    def _due(
        self, checkpoints: Checkpoints, record: Record, matches: bool, sent: bool
    ) -> Position | None:
        if self._live:
            return checkpoints.live(record, sent=sent)
        return checkpoints.considered(record, matches=matches, sent=sent)

    def _caught_up(self) -> list[Signal]:
        self._live = True
        last = self._checkpoints.caught_up() if self._checkpoints else None
        return [*_checkpoint(last), CaughtUp()]


class StreamSubscription:
    """A subscription to a stream after a version.

    It ends with StreamDeleted if that is tombstoned.
    """

    def __init__(
        self,
        storage: Log,
        readers: Readers,
        name: str,
        after: int | None,
        *,
        resolve_links: bool = False,
    ) -> None:
        """``after`` None: the current end of the stream. Raises StreamDeleted."""
        stream = storage.stream(name)
        if is_deleted(storage, stream):
            raise StreamDeleted(name)
        self._storage = storage
        self._readers = readers
        self._name = name
        self._after = stream.last_version if after is None else after
        self._behind = False
        self._resolve_links = resolve_links

    async def signals(self) -> AsyncGenerator[Iterable[Signal], None]:
        """Signals in the order of the stream, a few at a time.

        Raises StreamDeleted at its tombstone.
        """
        caught_up = False
        try:
            while True:
                seen = self._storage.last_position
                while records := await self._readers.next(self):
                    caught_up = caught_up and not self._behind
                    yield self._delivered(records)
                    if records[-1].type == STREAM_DELETED:
                        raise StreamDeleted(self._name)
                if not caught_up:
                    caught_up = True
                    yield [CaughtUp()]
                await self._storage.beyond(seen)
        finally:
            self._readers.leave(self)

    def read_page(self) -> list[Record]:
        """The next records of the stream; of a tombstoned one, all of them and the tombstone."""
        stream = self._storage.stream(self._name)
        if self._after >= stream.last_version:
            return []
        if stream.tombstoned:
            page = self._storage.read_stream(stream, self._after + 1, limit=READ_AT_ONCE)
        else:
            page = read_stream(self._storage, stream, self._after + 1, limit=READ_AT_ONCE)
        self._behind = bool(page) and page[-1].version < stream.last_version
        return page

    def handed_out(self, records: Sequence[Record]) -> None:
        self._after = records[-1].version

    def _delivered(self, records: Sequence[Record]) -> Iterator[Signal]:
        if self._resolve_links:
            return resolve_all(self._storage, records)
        return (Resolved(record, None) for record in records)


def _checkpoint(position: Position | None) -> list[Signal]:
    return [] if position is None else [Checkpoint(position)]
