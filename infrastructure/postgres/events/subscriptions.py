"""Catch-up subscriptions: the log in pages, up to the horizon, then new events."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

from application.backoff import Backoff
from application.event_filter import EventFilter
from application.messages import Decoder, RecordedEvent
from application.pacing import apart
from application.ports import Progress
from infrastructure.postgres.events.horizon import Horizon
from infrastructure.postgres.events.rows import COLUMNS, WANTED, fetch_from, recorded, wanted
from infrastructure.postgres.events.wake_up import WakeUp
from infrastructure.postgres.pools import Pool
from infrastructure.signalling import wait_for

_PAGE: Final = 500  # events in one answer of the server
_WINDOW: Final = 10_000  # positions that one query covers
_NET: Final = 1.0  # seconds until a look without a notification
# While events are held back: an open transaction that rolls back sends no notification.
_HELD_BACK: Final = Backoff(0.02, most=_NET)


class Subscriptions:
    """The :class:`~application.ports.Subscriptions` and ``StoreFacts`` of one database."""

    def __init__(
        self,
        pool: Pool,
        wake_up: WakeUp,
        horizon: Horizon,
        decoder: Decoder,
        *,
        net: float = _NET,
    ) -> None:
        """``net``: seconds until a reader looks without a notification."""
        self._pool, self._wake_up, self._horizon, self._net = pool, wake_up, horizon, net
        self._decoder = decoder
        self._counted: Counter[tuple[str, str]] = Counter()  # up to a position
        self._counted_to = 0
        self._store_id: str | None = None  # until it is known

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, only: EventFilter
    ) -> AsyncIterator[AsyncIterator[RecordedEvent | Progress]]:
        async with aclosing(self._follow(-1 if after is None else after, only)) as events:
            yield events

    async def count(self, only: EventFilter) -> int | None:
        """All at first, then only what came since."""
        readable, _ = await self._horizon.readable()
        if readable > self._counted_to:
            counts = await fetch_from(self._pool, _COUNT, [self._counted_to, readable])
            self._counted.update({(category, type): of for category, type, of in counts})
            self._counted_to = readable
        return only.total(self._counted)

    async def head(self) -> int:
        ((last,),) = await fetch_from(self._pool, _HEAD)
        return int(last)

    async def store_id(self) -> str | None:
        """The id was made with the table."""
        if self._store_id is None:
            ((id,),) = await fetch_from(self._pool, "SELECT id FROM event_store")
            self._store_id = str(id)
        return self._store_id

    async def _follow(
        self, position: int, only: EventFilter
    ) -> AsyncGenerator[RecordedEvent | Progress, None]:
        announced, looks = False, 0  # the end of the log; at events that are held back
        now = asyncio.get_running_loop().time
        question, values = (_SELECT_ALL, ()) if only.everything else (_SELECT, wanted(only))
        while True:
            change, began, found = self._wake_up.next, now(), 0
            readable, held_back = await self._horizon.readable()
            while position < readable:
                until = min(readable, position + _WINDOW)
                rows = await fetch_from(self._pool, question, [position, until, *values, _PAGE])
                for row in rows:
                    yield recorded(row, self._decoder)
                position = rows[-1][6] if len(rows) == _PAGE else until
                announced, found = position >= readable, found + len(rows)
                yield Progress(position, caught_up=announced)
            if not announced:
                announced = True
                yield Progress(position, caught_up=True)
            pause = min(_HELD_BACK.longest(looks), self._net) if held_back else self._net
            await wait_for(change, pause)
            await asyncio.sleep(began + apart(found) - now())
            looks = looks + 1 if held_back else 0


_SELECT: Final = f"""
SELECT {COLUMNS} FROM events
WHERE global_position > %s AND global_position <= %s AND {WANTED}
ORDER BY global_position LIMIT %s
"""
_SELECT_ALL: Final = f"""
SELECT {COLUMNS} FROM events
WHERE global_position > %s AND global_position <= %s
ORDER BY global_position LIMIT %s
"""
_HEAD: Final = "SELECT coalesce(max(global_position), -1) FROM events"
_COUNT: Final = """
SELECT stream_type, event_type, count(*) FROM events
WHERE global_position > %s AND global_position <= %s GROUP BY stream_type, event_type
"""
