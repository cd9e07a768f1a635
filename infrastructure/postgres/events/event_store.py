"""Streams in PostgreSQL: one table, one row for each event.

An append is an ``INSERT`` that enforces the expected version: rows are added only after the
stream's last one, and two appends at the same version collide in a unique index. The data is
``jsonb``: reading returns the same JSON, but not the same bytes.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from application.messages import Decoder, NewEvent, RecordedEvent
from application.ports import Appended, require_append, require_version
from infrastructure.postgres.events.appending import Append
from infrastructure.postgres.events.group_commit import GroupCommit
from infrastructure.postgres.events.group_read import GroupRead
from infrastructure.postgres.events.rows import COLUMNS, Row, fetch_from, recorded
from infrastructure.postgres.pools import Pool

_PAGE: Final = 1000  # events in one answer of the server


class EventStore:
    """An :class:`~application.ports.EventStore`, over a durable pool."""

    def __init__(self, pool: Pool, decoder: Decoder, commits: GroupCommit | None = None) -> None:
        self.pool, self._decoder = pool, decoder
        self._commits = commits or GroupCommit(pool)
        self._reads = GroupRead(pool, _PAGE)

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        """As the port; also ``ValueError`` for data that is not JSON or holds U+0000, and for an id
        that another event has already."""
        require_append(stream, events, expected_version)
        return await self._commits.append(Append.of(stream, events, expected_version))

    async def read(
        self,
        stream: str,
        *,
        from_version: int = 0,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        select, place = (_BACKWARDS, _LAST) if backwards else (_FORWARDS, from_version)
        if limit is None and not backwards:
            rows, all_there = await self._reads.first_page(stream, from_version)
            for row in _gapless(stream, place, rows):
                yield recorded(row, self._decoder)
            if all_there:
                return
            place = rows[-1][5] + 1
        while limit is None or limit > 0:
            most = _PAGE if limit is None else min(limit, _PAGE)
            rows = await fetch_from(self.pool, select, [stream, place, from_version, most])
            for row in rows if backwards else _gapless(stream, place, rows):
                yield recorded(row, self._decoder)
            if len(rows) < most:
                return
            place = rows[-1][5] + (-1 if backwards else 1)
            limit = None if limit is None else limit - most


def _gapless(stream: str, first: int, rows: Sequence[Row]) -> Sequence[Row]:
    """The rows, if their versions follow one another from the first on."""
    if rows and rows[-1][5] != first + len(rows) - 1:
        for expected, row in enumerate(rows, first):
            require_version(stream, expected, row[5])
    return rows


_LAST: Final = 2**31 - 1  # no stream has a higher version
_FORWARDS: Final = f"""
SELECT {COLUMNS} FROM events WHERE stream_id = %s AND version >= %s AND version >= %s
ORDER BY version LIMIT %s
"""
_BACKWARDS: Final = f"""
SELECT {COLUMNS} FROM events WHERE stream_id = %s AND version <= %s AND version >= %s
ORDER BY version DESC LIMIT %s
"""
