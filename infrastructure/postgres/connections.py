"""The use of a connection to PostgreSQL, and its errors in the terms of the ports."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Protocol, TypeVar

import psycopg
from psycopg.errors import InsufficientPrivilege
from psycopg_pool import PoolTimeout

from application.ports import StoreUnavailable
from infrastructure.postgres.pools import Connection, Pool, Silent
from infrastructure.postgres.sessions import GONE, GROUPS


class Connections(Protocol):
    """A source of connections: a pool."""

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
    """A connection out of the pool; :class:`StoreUnavailable` when the server does not answer.

    After ``SILENCE`` seconds without an answer, all connections of the pool are replaced.
    """
    cancelled = _cancelled()
    with unavailable():
        try:
            async with pool.connection() as connection:
                if _cancelled() > cancelled:  # while it waited: the pool forgets it on Python 3.11
                    raise asyncio.CancelledError
                async with _closed_when_cancelled(connection):
                    yield connection
        except Silent:
            if isinstance(pool, Pool):
                await pool.drain()
            raise
        except PoolTimeout as error:
            raise StoreUnavailable(f"PostgreSQL: {_why_none(pool, error)}") from error


def _why_none(pool: Connections, waited: PoolTimeout) -> str:
    """That it waited, and why there was no connection, in one line."""
    refusal = pool.refusal if isinstance(pool, Pool) else None
    return " ".join(f"{waited}: {refusal}".split()) if refusal else str(waited)


@asynccontextmanager
async def connected_for_long(pool: Connections) -> AsyncIterator[Connection]:
    """As ``connected``, for long statements: without a limit of silence."""
    async with connected(pool) as connection:
        with connection.waiting(None):
            yield connection


def _cancelled() -> int:
    """How often this task was cancelled."""
    task = asyncio.current_task()
    return task.cancelling() if task else 0


@asynccontextmanager
async def connected_apart(pool: Pool) -> AsyncIterator[Connection]:
    """A connection to the pool's server outside of the pool, for one long use.

    It is closed at the end, with all that its session held. Commits on it do not wait for the disk.
    Raises :class:`StoreUnavailable` when there is no connection; later errors are psycopg's.
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
            await connection.execute(GROUPS)
        yield connection
    finally:
        await connection.close()


@contextmanager
def unavailable() -> Iterator[None]:
    """Inside, a server that does not answer, or refuses us, raises :class:`StoreUnavailable`."""
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
    """Run it on a connection of the pool; if that was broken, again on one that works.

    Only for idempotent work. Raises :class:`StoreUnavailable`.
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
    """Its state is unknown then: in the pool, it could keep its locks for minutes."""
    try:
        yield
    except asyncio.CancelledError:
        await connection.close()
        raise
