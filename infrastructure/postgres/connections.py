"""Connections to PostgreSQL, and what their failures mean to the application."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, Final, LiteralString, Protocol, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.errors import InsufficientPrivilege
from psycopg_pool import AsyncConnectionPool

from application.ports import StoreUnavailable

Connection = AsyncConnection[tuple[Any, ...]]


class Pool(AsyncConnectionPool[Connection]):
    """Connections to one database. ``async with`` opens it and closes it."""


def pool(uri: str, *, size: int = 10, patience: float = 5.0) -> Pool:
    """For read models: at most ``size`` connections to the server at ``uri``; none is opened yet.

    Who has waited ``patience`` seconds for one is told that the server is unavailable.

    A commit does not wait for the disk: views and checkpoint are one transaction, so what a crash
    of the server takes back it takes back together, and the events bring it again.
    """
    return _pool(uri, size, patience, _VIEWS, check=Pool.check_connection)


def durable_pool(uri: str, *, size: int = 10, patience: float = 5.0) -> Pool:
    """For events: what is committed is on disk. Who waits for another's lock is soon told.

    A connection that broke meanwhile is noticed by whoever uses it: see :func:`once_more`.
    """
    return _pool(uri, size, patience, _EVENTS, check=None)


_RELIED_ON: Final = """
SET DateStyle = 'ISO, YMD';  -- whatever the database or the role has: psycopg reads no other
SET IntervalStyle = 'postgres';
SET TimeZone = 'UTC';  -- moments are read twice as fast so
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET default_transaction_isolation = 'read committed';  -- each statement sees what stands by then
"""
_VIEWS: Final = "SET synchronous_commit = off"
_EVENTS: Final = """
SET synchronous_commit = on;
SET lock_timeout = '500ms';  -- a transaction that somebody left open must not stop all appends
SET statement_timeout = '10s';
SET idle_in_transaction_session_timeout = '10s';
SET enable_seqscan = off;  -- an empty table has no statistics, and plans outlive that
SET plan_cache_mode = force_generic_plan;
SET jit = off
"""
_GROUPS: Final = """
SET synchronous_commit = off;  -- what a crash of the server takes back is handed out again
SET statement_timeout = '10s';
SET idle_in_transaction_session_timeout = '10s';  -- one that froze must not stop its group
SET tcp_keepalives_idle = 10;  -- a machine that lost its power says no goodbye: the server asks
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = '20s';
SET enable_seqscan = off;  -- as above
SET enable_sort = off;  -- to take the next few, nobody reads and sorts all that come after
SET plan_cache_mode = force_generic_plan;
SET jit = off
"""

GONE: Final[Mapping[str, Any]] = {  # who has gone without a word is missed before hours pass
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}

_Check = Callable[[Connection], Awaitable[None]]


def _pool(
    uri: str, size: int, patience: float, settings: LiteralString, check: _Check | None
) -> Pool:
    async def configure(connection: Connection) -> None:
        await connection.execute(_RELIED_ON + settings)

    return Pool(
        uri,
        min_size=1,
        max_size=size,
        timeout=patience,
        reconnect_timeout=patience,  # then whoever asks next tries at once: no pauses that grow
        open=False,
        connection_class=AsyncConnection[tuple[Any, ...]],
        kwargs={"autocommit": True, "application_name": "headwater", **GONE},
        configure=configure,
        check=check,  # a connection that broke meanwhile is replaced, unnoticed
    )


class Connections(Protocol):
    """Where a connection can be had: a pool."""

    def connection(self) -> AbstractAsyncContextManager[Connection]: ...


class Within:
    """A connection on which a transaction is under way, in place of a pool."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        yield self._connection


@asynccontextmanager
async def connected(pool: Connections) -> AsyncIterator[Connection]:
    """A connection out of the pool; :class:`StoreUnavailable` when the server does not answer."""
    cancelled = _cancelled()
    with unavailable():
        async with pool.connection() as connection:
            if _cancelled() > cancelled:  # while it waited, which the pool forgets on Python 3.11
                raise asyncio.CancelledError
            async with _closed_when_cancelled(connection):
                yield connection


def _cancelled() -> int:
    """How often this task was told to end."""
    task = asyncio.current_task()
    return task.cancelling() if task else 0


@asynccontextmanager
async def connected_apart(pool: Pool) -> AsyncIterator[Connection]:
    """A connection to the pool's server that is none of the pool's, for one user who stays long.

    Closed in the end, and with it ends whatever its session held. Commits on it do not wait for
    the disk. :class:`StoreUnavailable` when there is no connection; what breaks later is psycopg's.
    """
    assert isinstance(pool.conninfo, str)  # we have made it
    with unavailable():
        connection = await Connection.connect(
            pool.conninfo,
            autocommit=True,
            application_name="headwater consumer",
            **GONE,
        )
    try:
        with unavailable():
            await connection.execute(_RELIED_ON + _GROUPS)
        yield connection
    finally:
        await connection.close()


@contextmanager
def unavailable() -> Iterator[None]:
    """Inside, a server that does not answer, or not to us, is :class:`StoreUnavailable`."""
    try:
        yield
    except (
        psycopg.OperationalError,
        psycopg.InterfaceError,
        psycopg.InternalError,
        InsufficientPrivilege,
    ) as error:
        raise StoreUnavailable(f"PostgreSQL: {error}") from error


T = TypeVar("T")


async def once_more(pool: Pool, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Do it on a connection of the pool, and if that was broken, again on one that works.

    Only for what may be done twice. Raises :class:`StoreUnavailable`.
    """
    used: Connection | None = None
    try:
        async with connected(pool) as used:
            return await work(used)
    except StoreUnavailable:
        if used is None or not used.broken:
            raise
    await pool.check()
    async with connected(pool) as connection:
        return await work(connection)


@asynccontextmanager
async def _closed_when_cancelled(connection: Connection) -> AsyncIterator[None]:
    """Nobody knows what state it is in then: in the pool it might keep its locks for minutes."""
    try:
        yield
    except asyncio.CancelledError:
        await connection.close()
        raise
