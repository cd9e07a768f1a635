"""Group read: streams that are requested together are read in one query.

As with appends (``group_commit``), a read that comes alone is served at once, and while queries are
under way, reads wait for the next one. A query costs much the same for one stream and for fifty. Of
long streams only the beginning is read so. If a query fails, each stream is read apart.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from application.ports import StoreUnavailable
from infrastructure.batching import Batcher, Report, Waiting, give, ignore
from infrastructure.postgres.connections import once_more
from infrastructure.postgres.events.rows import COLUMNS, Row
from infrastructure.postgres.pools import Connection, Pool

MOST: Final = 100  # streams in one query
BEGINNING: Final = 100  # events of each, when there are several

Page = tuple[Sequence[Row], bool]
"""Rows of a stream, and whether they are all."""

_Wanted = tuple[str, int]  # the stream, and from which version on
_Waiting = Waiting[_Wanted, Page]


class GroupRead:
    """Reads the first page of streams, forwards."""

    def __init__(self, pool: Pool, page: int, report: Report = ignore) -> None:
        """``page``: events of one stream in one answer, at most. ``report`` is called with the
        number of streams in each query."""
        self._pool, self._page = pool, page
        self._batches: Batcher[_Wanted, Page] = Batcher(_next, self._serve, report)

    async def first_page(self, stream: str, from_version: int) -> Page:
        """Has all that is committed at the call. Raises ``StoreUnavailable``."""
        return await self._batches.answer((stream, from_version))

    async def _serve(self, group: Sequence[_Waiting]) -> None:
        most = self._page if len(group) == 1 else BEGINNING
        try:
            pages = await self._read([wanted for wanted, _ in group], most)
        except StoreUnavailable as error:
            _refuse(group, error)
        except Exception as error:  # whatever it is: only its caller gets it
            if len(group) == 1:
                _refuse(group, error)
            else:
                await asyncio.gather(*(self._serve([one]) for one in group))
        else:
            for (_, answer), rows in zip(group, pages, strict=True):
                give(answer, (rows, len(rows) < most))

    async def _read(self, wanted: Sequence[_Wanted], most: int) -> Sequence[Sequence[Row]]:
        async def read(connection: Connection) -> Sequence[Sequence[Row]]:
            if len(wanted) == 1:
                values: Sequence[object] = [*wanted[0], most]
                found = await connection.execute(_ONE, values, prepare=True, binary=True)
                return [await found.fetchall()]
            values = [*map(list, zip(*wanted, strict=True)), most]
            found = await connection.execute(_SEVERAL, values, prepare=True, binary=True)
            pages: Sequence[list[Row]] = [[] for _ in wanted]
            for *row, number in await found.fetchall():
                pages[number - 1].append(row)
            return pages

        return await once_more(self._pool, read)


def _next(waiting: deque[_Waiting]) -> Sequence[_Waiting]:
    group: list[_Waiting] = []
    while waiting and len(group) < MOST:
        wanted, answer = waiting.popleft()
        if not answer.cancelled():
            group.append((wanted, answer))
    return group


def _refuse(group: Sequence[_Waiting], error: Exception) -> None:
    for _, answer in group:
        give(answer, error)


_ONE: Final = f"""
SELECT {COLUMNS} FROM events WHERE stream_id = %b AND version >= %b ORDER BY version LIMIT %b
""".encode()
_SEVERAL: Final = f"""
SELECT found.*, number
FROM unnest(%b::text[], %b::int[]) WITH ORDINALITY AS wanted (stream, place, number),
LATERAL (
    SELECT {COLUMNS} FROM events WHERE stream_id = stream AND version >= place
    ORDER BY version LIMIT %b
) AS found
ORDER BY number, version
""".encode()
