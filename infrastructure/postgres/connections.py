"""Connections to PostgreSQL, and what their failures mean to the application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from application.ports import StoreUnavailable

Connection = AsyncConnection[tuple[Any, ...]]


class Pool(AsyncConnectionPool[Connection]):
    """Connections for the read models. ``async with`` opens it and closes it."""


def pool(uri: str, *, size: int = 10, patience: float = 5.0) -> Pool:
    """At most ``size`` connections to the server at ``uri``; none is opened yet.

    Who has waited ``patience`` seconds for one is told that the server is unavailable.

    A commit does not wait for the disk: views and checkpoint are one transaction, so what a crash
    of the server takes back it takes back together, and the events bring it again.
    """
    return Pool(
        uri,
        min_size=1,
        max_size=size,
        timeout=patience,
        open=False,
        connection_class=AsyncConnection[tuple[Any, ...]],
        kwargs={"autocommit": True, "application_name": "headwater"},
        configure=_configure,
        check=Pool.check_connection,  # a connection that broke meanwhile is replaced, unnoticed
    )


async def _configure(connection: Connection) -> None:
    await connection.execute("SET synchronous_commit = off")


@asynccontextmanager
async def connected(pool: Pool) -> AsyncIterator[Connection]:
    """A connection out of the pool; :class:`StoreUnavailable` when the server does not answer."""
    try:
        async with pool.connection() as connection, _closed_when_cancelled(connection):
            yield connection
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise StoreUnavailable(f"PostgreSQL: {error}") from error


@asynccontextmanager
async def _closed_when_cancelled(connection: Connection) -> AsyncIterator[None]:
    """Nobody knows what state it is in then: in the pool it might keep its locks for minutes."""
    try:
        yield
    except asyncio.CancelledError:
        await connection.close()
        raise
