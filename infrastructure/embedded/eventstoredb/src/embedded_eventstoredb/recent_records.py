"""The newest records and the states of streams, as the event loop has heard of them.

Most readers are live: they read what was just written. So it is kept for them, within bounds, and
they do not query the database. The rest is read from there.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Final

from embedded_eventstoredb.records import Record, Stream, payload

_RECORDS: Final = 4_096
_BYTES: Final = 4 << 20  # of data and metadata
_PAGE_BYTES: Final = 1 << 17
_STREAMS: Final = 8_192
_position_of = attrgetter("position")
_place_of = attrgetter("stream", "version")


class RecentRecords:
    """All records beyond a position, which moves. Each method returns None for what it lacks."""

    def __init__(self, end: int, *, most: int = _RECORDS, most_bytes: int = _BYTES) -> None:
        """Empty; ``end`` is the position of the last record of the log."""
        self._most, self._most_bytes = most, most_bytes
        self._beyond = end
        self._records: list[Record] = []
        self._positions: list[int] = []
        self._places: dict[tuple[str, int], Record] = {}
        self._streams: dict[str, Stream] = {}
        self._bytes = 0

    def add(self, records: Sequence[Record], streams: Mapping[str, Stream]) -> None:
        """Take over a commit: its records in their order, and the streams that it changed."""
        self._records += records
        self._positions += map(_position_of, records)
        self._places.update(zip(map(_place_of, records), records, strict=True))
        self._bytes += payload(records)
        while len(self._records) > self._most or self._bytes > self._most_bytes:
            self._drop_half()
        self._streams.update(streams)
        if len(self._streams) > _STREAMS:
            self._streams.clear()

    def stream(self, name: str) -> Stream | None:
        return self._streams.get(name)

    def keep(self, stream: Stream) -> None:
        """Remember the state of a stream that was read from the database."""
        self._streams[stream.name] = stream

    def at(self, stream: str, version: int) -> Record | None:
        return self._places.get((stream, version))

    def of_log(self, after: int, *, backwards: bool, limit: int) -> list[Record] | None:
        """A page beyond a position, or before it."""
        if backwards:
            end = bisect_left(self._positions, after)
            return _page(self._records[end - limit : end][::-1]) if end >= limit else None
        if after < self._beyond:
            return None
        start = bisect_right(self._positions, after)
        return _page(self._records[start : start + limit])

    def of_stream(
        self, stream: Stream, version: int, *, backwards: bool, limit: int
    ) -> list[Record] | None:
        """A page of a stream from ``version`` on, inclusive, if its first record is here, or if
        it is known to be beyond the last one.
        """
        if backwards:
            version = min(version, stream.last_version)
        elif version > max(
            stream.last_version, self._streams.get(stream.name, stream).last_version
        ):
            return []
        step = -1 if backwards else 1
        page: list[Record] = []
        while len(page) < limit and (found := self._places.get((stream.name, version))):
            page.append(found)
            version += step
        return _page(page) or None

    def _drop_half(self) -> None:
        count = (len(self._records) + 1) // 2
        oldest = self._records[:count]
        for place in map(_place_of, oldest):
            self._places.pop(place, None)
        self._bytes -= payload(oldest)
        self._beyond = self._positions[count - 1]
        del self._records[:count], self._positions[:count]


def _page(records: list[Record]) -> list[Record]:
    """The first of these records, up to the limit of a page in bytes."""
    if payload(records) < _PAGE_BYTES:
        return records
    room = _PAGE_BYTES
    for number, record in enumerate(records, 1):
        room -= _size(record)
        if room <= 0:
            return records[:number]
    return records


def _size(record: Record) -> int:
    return len(record.data) + len(record.metadata)
