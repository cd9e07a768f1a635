"""Wakes readers when events are committed: ``LISTEN`` on a connection of its own.

A notification is a hint and no more. Who waits looks again after a while all the same, and after a
lost connection is back everybody is woken, since something may have happened meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg.sql import SQL, Identifier

from infrastructure.postgres.connections import Connection
from infrastructure.postgres.sessions import GONE
from infrastructure.signalling import Signal

_PAUSE = 0.5  # seconds until the next attempt, when the server does not answer


class WakeUp(Signal):
    """Sent when events may have been committed. ``lost`` counts the connections that broke."""

    lost = 0

    async def listen(self, uri: str, quiet: float) -> None:
        """For ever. After ``quiet`` seconds without a notification the server is asked something.

        It has as long to answer: else the connection is taken for lost.
        """
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
            assert row is not None  # the question always has an answer
            await connection.execute(SQL("LISTEN {}").format(Identifier(row[0])))
            self.send()
            connection.silence = quiet
            try:
                while True:
                    async for _ in connection.notifies(timeout=quiet):
                        self.send()
                    await connection.execute("SELECT 1")
            finally:
                self.lost += 1


@asynccontextmanager
async def wake_up(uri: str, quiet: float = 10.0) -> AsyncIterator[WakeUp]:
    """One that listens as long as the block lasts, whether or not the server answers."""
    signal = WakeUp()
    task = asyncio.create_task(signal.listen(uri, quiet))
    try:
        yield signal
    finally:
        task.cancel()
        await asyncio.wait([task])
