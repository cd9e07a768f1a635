"""Pools of connections to PostgreSQL, each of which gives up a server that stays silent."""

import asyncio
import logging
import math
import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, LiteralString, Self

import psycopg
from psycopg import AsyncConnection
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import _WaitTimeout
from psycopg_pool import AsyncConnectionPool

from infrastructure.postgres.sessions import EVENTS, GONE, VIEWS

SILENCE: Final = 12.0
"""Seconds without an answer after which a connection is given up; a statement may take 10."""
_CHECK: Final = 2.0  # the same, for checking a connection
_ANSWERS: Final = 1.0  # seconds for which an answer proves that a connection works


class Silent(psycopg.OperationalError):
    """A connection gave no answer in time, so it is closed: a firewall may have dropped it."""


_NO_NEWS: Final = ("discarding closed connection", "error connecting", "reconnection attempt")


def _is_news(record: logging.LogRecord) -> bool:
    """A pool warns of a closed connection, also of one that we close when its use is cancelled.

    If the server has closed it, or refuses us, ``StoreUnavailable`` says so.
    """
    return not str(record.msg).startswith(_NO_NEWS)


logging.getLogger("psycopg.pool").addFilter(_is_news)


class Connection(AsyncConnection[tuple[Any, ...]]):
    """A connection that waits at most ``silence`` seconds for an answer; ``None``: no limit."""

    silence: float | None = SILENCE
    answered_at: float = -math.inf  # by the clock of the loop

    @classmethod
    async def connect(  # type: ignore[override]  # psycopg's names each option
        cls, conninfo: str = "", *, pool: "Pool | None" = None, **asked: Any
    ) -> Self:
        """As psycopg's. ``pool`` keeps the reason if it fails."""
        try:
            made = await super().connect(conninfo, **asked)
        except psycopg.Error as error:
            if pool is not None:
                pool.refusal = error
            raise
        if pool is not None:
            pool.refusal = None
        return made

    @property
    def answers(self) -> bool:
        """Whether it has just answered, and nothing came since: not even its end."""
        if asyncio.get_running_loop().time() - self.answered_at > _ANSWERS:
            return False
        socket = select.poll()
        socket.register(self.pgconn.socket, select.POLLIN)
        return not socket.poll(0)

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = 0.1,
        timeout: float | None = None,  # noqa: ASYNC109 - it is psycopg's
    ) -> RV:
        """As psycopg's. Raises :class:`Silent` if no ``timeout`` is given and no answer comes."""
        if timeout is not None:
            return await super().wait(gen, interval, timeout)
        try:
            answer = await super().wait(gen, interval, self.silence)
        except _WaitTimeout:
            self.pgconn.finish()
            raise Silent(f"no answer for {self.silence:g} s: the connection is given up") from None
        self.answered_at = asyncio.get_running_loop().time()
        return answer

    @contextmanager
    def waiting(self, silence: float | None) -> Iterator[None]:
        """Inside, wait that long for each answer."""
        before, self.silence = self.silence, silence
        try:
            yield
        finally:
            self.silence = before


class Pool(AsyncConnectionPool[Connection]):
    """Connections to one database. ``async with`` opens it and closes it."""

    refusal: psycopg.Error | None = None
    """Why the last connection was not made. The pool itself reports only that it waited."""

    async def check_briefly(self, connection: Connection) -> None:
        """Raise unless the connection works. If it is silent, all connections are replaced."""
        try:
            with connection.waiting(_CHECK):
                await self.check_connection(connection)
        except Silent:
            await self.drain()
            raise


def pool(uri: str, *, size: int = 10, patience: float = 5.0, silence: float = SILENCE) -> Pool:
    """For read models: at most ``size`` connections to the server at ``uri``; none is opened yet.

    Raises :class:`StoreUnavailable` after waiting ``patience`` seconds for a connection, or
    ``silence`` seconds for an answer on one.

    A commit does not wait for the disk. Views and checkpoint are one transaction, so a crash of the
    server undoes both, and the events are handled again.
    """
    return _pool(uri, size, patience, silence, VIEWS, checked=True)


def durable_pool(
    uri: str, *, size: int = 10, patience: float = 5.0, silence: float = SILENCE
) -> Pool:
    """For events: a commit waits for the disk, and waiting for a lock is limited.

    A connection that broke meanwhile is noticed when it is used: see ``once_more``.
    """
    return _pool(uri, size, patience, silence, EVENTS, checked=False)


def _require_address(uri: str) -> None:
    """``ValueError`` for an address that PostgreSQL's library cannot read."""
    try:
        conninfo_to_dict(uri)
    except psycopg.ProgrammingError as error:
        reason = str(error).strip().replace(uri, "the address")  # it may hold a password
        raise ValueError(
            f"not an address of PostgreSQL: {reason}; "
            "write it like postgresql://user:password@host:5432/database"
        ) from None


def _pool(
    uri: str,
    size: int,
    patience: float,
    silence: float,
    settings: LiteralString,
    *,
    checked: bool,
) -> Pool:
    _require_address(uri)

    async def configure(connection: Connection) -> None:
        connection.silence = silence
        await connection.execute(settings)

    async def check(connection: Connection) -> None:  # one that broke meanwhile is replaced
        if not connection.answers:
            await made.check_briefly(connection)

    made: Pool = Pool(
        uri,
        min_size=1,
        max_size=size,
        timeout=patience,
        reconnect_timeout=patience,  # the next call tries at once, without growing pauses
        open=False,
        connection_class=Connection,
        kwargs=lambda: {"autocommit": True, "application_name": "headwater", "pool": made, **GONE},
        configure=configure,
        check=check if checked else None,
    )
    return made
