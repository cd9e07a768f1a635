"""Group read: streams that are asked for together are read in one statement.

As with appends (``group_commit``): who comes alone is served at once, and while a question is under
way, those that come wait for the next one. A question costs much the same for one stream and for
fifty, so the more there are, the less each costs. Of long streams only the beginning is read so;
and where one asks for what cannot be asked, each is read apart.
"""

import asyncio
from asyncio import Future
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, cast

from application.ports import StoreUnavailable
from infrastructure.postgres.connections import Connection, Pool, once_more
from infrastructure.postgres.events.rows import COLUMNS, Row

LANES: Final = 2  # questions under way at a time
MOST: Final = 100  # streams in one question
BEGINNING: Final = 100  # events of each, when there are several

Page = tuple[Sequence[Row], bool]
"""Rows of an answer, and whether they are all that the stream has."""

_Wanted = tuple[str, int]  # the stream, and from which version on
_Waiting = tuple[_Wanted, "Future[Page]"]


class GroupRead:
    """Reads the first page of streams, forwards."""

    def __init__(self, pool: Pool, page: int, tell: Callable[[int], None] = lambda _: None) -> None:
        """``page``: events of one stream in one answer, at most. ``tell`` hears of every group how
        many streams it had."""
        self._pool, self._page, self._tell = pool, page, tell
        self._waiting: deque[_Waiting] = deque()
        self._lanes: set[asyncio.Task[None]] = set()

    async def first_page(self, stream: str, from_version: int) -> Page:
        """What is committed now is in it. Raises ``StoreUnavailable``."""
        answer: Future[Page] = asyncio.get_running_loop().create_future()
        self._waiting.append(((stream, from_version), answer))
        if len(self._lanes) < LANES:
            self._lanes.add(asyncio.create_task(self._work()))
        return await answer

    async def _work(self) -> None:
        try:
            while group := self._next():
                self._tell(len(group))
                await self._serve(group)
        finally:
            self._lanes.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    def _next(self) -> Sequence[_Waiting]:
        group: list[_Waiting] = []
        while self._waiting and len(group) < MOST:
            wanted, answer = self._waiting.popleft()
            if not answer.cancelled():
                group.append((wanted, answer))
        return group

    async def _serve(self, group: Sequence[_Waiting]) -> None:
        most = self._page if len(group) == 1 else BEGINNING
        try:
            pages = await self._read([wanted for wanted, _ in group], most)
        except StoreUnavailable as error:
            _refuse(group, error)
        except Exception as error:  # whatever it is, it is for the one who caused it
            if len(group) == 1:
                _refuse(group, error)
            else:
                await asyncio.gather(*(self._serve([one]) for one in group))
        else:
            for (_, answer), rows in zip(group, pages, strict=True):
                if not answer.done():  # else whoever waited has gone
                    answer.set_result((rows, len(rows) < most))

    async def _read(self, wanted: Sequence[_Wanted], most: int) -> Sequence[Sequence[Row]]:
        async def read(connection: Connection) -> Sequence[Sequence[Row]]:
            if len(wanted) == 1:
                values: Sequence[object] = [*wanted[0], most]
                found = await connection.execute(_ONE, values, prepare=True, binary=True)
                return [await found.fetchall()]
            values = [*map(list, zip(*wanted, strict=True)), most]
            found = await connection.execute(_SEVERAL, values, prepare=True, binary=True)
            pages: Sequence[list[Row]] = [[] for _ in wanted]
            for row in await found.fetchall():
                pages[row[-1] - 1].append(row)
            return pages

        return await once_more(self._pool, read)


def _refuse(group: Sequence[_Waiting], error: Exception) -> None:
    for _, answer in group:
        if not answer.done():
            answer.set_exception(error)


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
