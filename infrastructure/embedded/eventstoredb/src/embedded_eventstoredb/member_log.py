"""The log as one member of a cluster shows it.

The members share one log; a follower does not show records that are younger than its lag.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from embedded_eventstoredb.storage import (
    PAGE,
    Log,
    LogClosed,
    Record,
    Storage,
    Stream,
    parse_metadata,
)

_TICKS: Final = 10_000_000
_LOOK_AGAIN: Final = 0.05  # seconds, at most, until a follower looks for records of its age
_SEEN: Final = "SELECT max(position) FROM records WHERE position > ? AND created <= ?"
_NEWEST: Final = "SELECT max(version) FROM records WHERE stream = ? AND position <= ?"
_METADATA: Final = """SELECT data FROM records
    WHERE stream = (SELECT key FROM streams WHERE name = ?) AND position <= ?
    ORDER BY version DESC LIMIT 1"""


class MemberLog(Log):
    """A leader shows the whole log, a follower the records that are older than ``lag`` seconds.

    A member that stops leading keeps what it had. So a read that it accepted as the leader is
    answered with everything that was acknowledged, although the member has resigned meanwhile.
    """

    def __init__(
        self, storage: Storage, lag: float, leads: Callable[[], bool], has: int = -1
    ) -> None:
        """``has`` is the last position that the member has in any case."""
        super().__init__(storage.connection)
        self._storage = storage
        self._lag = lag
        self._leads = leads
        self._seen = has
        self._closed = False

    def resign(self) -> None:
        """The member stops leading: it keeps showing what it has now."""
        self._seen = self._storage.last_position

    def close(self) -> None:
        """The member shuts down: readers that wait for more get LogClosed."""
        self._closed = True
        self._storage.wake()

    @property
    def last_position(self) -> int:
        if self._shows_all:
            self._seen = self._storage.last_position
        else:
            cutoff = time.time_ns() // 100 - int(self._lag * _TICKS)
            (seen,) = self._connection.execute(_SEEN, (self._seen, cutoff)).fetchone()
            self._seen = self._seen if seen is None else seen
        return self._seen

    async def beyond(self, position: int) -> int:
        while self.last_position <= position:
            if self._closed:
                raise LogClosed
            if self._storage.last_position > position:  # records exist, but are too young
                await asyncio.sleep(min(self._lag / 10, _LOOK_AGAIN))
            else:
                await self._storage.arrival()
        return self.last_position

    def stream(self, name: str) -> Stream:
        stream = self._storage.stream(name)
        seen = self.last_position
        if self._shows_all or not stream.key:
            return stream
        (version,) = self._connection.execute(_NEWEST, (stream.key, seen)).fetchone()
        row = self._connection.execute(_METADATA, (f"$${name}", seen)).fetchone()
        limits = parse_metadata(row[0]) if row else {}
        return replace(
            stream,
            last_version=-1 if version is None else version,
            max_count=limits.get("$maxCount"),
            max_age=limits.get("$maxAge"),
            truncate_before=limits.get("$tb"),
        )

    def read_stream(
        self, stream: Stream, version: int, *, backwards: bool = False, limit: int = PAGE
    ) -> list[Record]:
        start = min(version, stream.last_version) if backwards else version
        page = self._storage.read_stream(stream, start, backwards=backwards, limit=limit)
        return self._shown(page)

    def read_log(self, after: int, *, backwards: bool = False, limit: int = PAGE) -> list[Record]:
        start = min(after, self.last_position + 1) if backwards else after
        return self._shown(self._storage.read_log(start, backwards=backwards, limit=limit))

    def read_targets(self, targets: Sequence[tuple[str, int]]) -> Iterator[tuple[Record, Stream]]:
        return self._storage.read_targets(targets)

    def record_at(self, position: int) -> Record | None:
        return super().record_at(position) if position <= self.last_position else None

    @property
    def _shows_all(self) -> bool:
        return not self._lag or self._leads()

    def _shown(self, page: list[Record]) -> list[Record]:
        if self._shows_all:
            return page
        seen = self.last_position
        return [record for record in page if record.position <= seen]
