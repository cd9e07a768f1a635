"""Wakes readers when events are committed: ``LISTEN`` on a connection of its own.

It listens from the first time on that a reader waits, so commits do not wake a process that reads
no log. A notification is only a hint. Readers also look after a while without one, and all are
woken when a lost connection is back, since events may have come meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg
from psycopg.sql import SQL, Identifier

from application.event_filter import EventFilter
from infrastructure.postgres.events.rows import wanted
from infrastructure.postgres.pools import Connection
from infrastructure.postgres.sessions import GONE
from infrastructure.signalling import Signal

_PAUSE = 0.5  # seconds until the next attempt, when the server does not answer


class WakeUp(Signal):
    """Sent when events may have been committed. ``lost`` counts the connections that broke."""

    lost = 0

    def __init__(self) -> None:
        super().__init__()
        self._used = asyncio.Event()
        self._calls: dict[Callable[[], None], frozenset[str]] = {}

    @property
    def next(self) -> asyncio.Event:
        """As :class:`Signal`."""
        self._used.set()
        return super().next

    @contextmanager
    def calling(self, call: Callable[[], None], only: EventFilter) -> Iterator[None]:
        """Inside, ``call`` is called when events that ``only`` admits may have been committed."""
        self._used.set()
        self._calls[call] = frozenset(wanted(only)[1])
        try:
            yield
        finally:
            del self._calls[call]

    def send(self, what: str = "") -> None:
        """Wake those that want one of these events, by category and type; empty: all."""
        super().send()
        kinds = what.split(",")
        for call, wants in self._calls.items():
            if not what or not wants.isdisjoint(kinds):
                call()

    async def listen(self, uri: str, quiet: float) -> None:
        """Listen until cancelled, once a reader waits.

        After ``quiet`` seconds without a notification, it runs a query. If it gets no answer
        within ``quiet`` seconds, the connection counts as lost.
        """
        await self._used.wait()
        while True:
            try:
                await self._listen(uri, quiet)
            except psycopg.Error:
                await asyncio.sleep(_PAUSE)

    async def _listen(self, uri: str, quiet: float) -> None:
        connection = await Connection.connect(
            uri, autocommit=True, application_name="headwater wake-up", **GONE
        )
        async with connection:
            found = await connection.execute("SELECT 'events_' || 'events'::regclass::oid")
            row = await found.fetchone()
            assert row is not None  # the query always returns a row
            await connection.execute(SQL("LISTEN {}").format(Identifier(row[0])))
            self.send()
            connection.silence = quiet
            try:
                while True:
                    async for notification in connection.notifies(timeout=quiet):
                        self.send(notification.payload)
                    await connection.execute("SELECT 1")
            finally:
                self.lost += 1


@asynccontextmanager
async def wake_up(uri: str, quiet: float = 10.0) -> AsyncIterator[WakeUp]:
    """One that listens as long as the block lasts, whether or not the server answers."""
    signal = WakeUp()
    task = asyncio.create_task(signal.listen(uri, quiet), name="wake-up")
    try:
        yield signal
    finally:
        task.cancel()
        await asyncio.wait([task])
