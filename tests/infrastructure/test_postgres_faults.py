"""What PostgreSQL refuses is told in words, never in the driver's, and then all goes on."""

import asyncio
from collections.abc import Sequence

import psycopg
import pytest

from application.ports import (
    NO_STREAM,
    Appended,
    StoreUnavailable,
)
from infrastructure.postgres import EventStore, GroupCommit
from infrastructure.postgres.events.appending import Answer, Append, append
from infrastructure.postgres.pools import Connection
from tests.contracts.made_up import all_of, event, events, name
from tests.infrastructure.postgres_load import PATIENCE, under_load
from tests.infrastructure.postgres_log import log_at
from tests.sample.service import SAMPLE


async def test_a_pool_that_is_used_up_is_told_in_words(postgres: str) -> None:
    """All connections are busy: after the patience StoreUnavailable, and then all goes on."""
    async with log_at(postgres, size=2, patience=0.2) as log, asyncio.timeout(PATIENCE):
        async with log.pool.connection(), log.pool.connection():
            answers = await asyncio.gather(
                *(log.events.append(name(), [event()], NO_STREAM) for _ in range(20)),
                log.readable(),
                all_of(log.events.read("transfer-1")),
                return_exceptions=True,
            )
        assert {type(answer) for answer in answers} == {StoreUnavailable}
        assert str(answers[0]) == "PostgreSQL: couldn't get a connection after 0.20 sec"

        await asyncio.gather(*(log.events.append(name(), [event()], -1) for _ in range(20)))


async def test_one_connection_is_enough(postgres: str) -> None:
    """Groups, those that are tried apart, and a reader take turns on it."""
    async with log_at(postgres, size=1) as log:
        await under_load(log)
        answers = await asyncio.gather(
            *(log.events.append(name(), [event(data=b"{")], NO_STREAM) for _ in range(20)),
            *(log.events.append(name(), [event()], NO_STREAM) for _ in range(20)),
            return_exceptions=True,
        )

    assert [type(answer) for answer in answers] == [ValueError] * 20 + [Appended] * 20


async def test_a_lock_on_the_table_is_told_in_words(postgres: str) -> None:
    """Somebody works on the table itself: writers and readers are told soon, all together."""
    async with log_at(postgres) as log, asyncio.timeout(PATIENCE):
        await log.events.append("transfer-1", [event()], NO_STREAM)
        async with await psycopg.AsyncConnection.connect(postgres) as foreign:
            await foreign.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
            answers = await asyncio.gather(
                *(log.events.append(name(), [event()], NO_STREAM) for _ in range(100)),
                log.readable(),
                all_of(log.events.read("transfer-1")),
                log.follow([], lambda: False),
                return_exceptions=True,
            )
        assert {type(answer) for answer in answers} == {StoreUnavailable}
        assert all("lock" in str(answer) for answer in answers)

        assert len(await all_of(log.events.read("transfer-1"))) == 1
        await asyncio.gather(*(log.events.append(name(), [event()], -1) for _ in range(100)))


async def test_a_lock_on_the_table_that_ends_soon_is_waited_for(postgres: str) -> None:
    """Nobody is refused for a moment's work on the table, or for a disk that is slow to commit."""
    attempts = 0

    async def commit(connection: Connection, appends: Sequence[Append]) -> Sequence[Answer | None]:
        nonlocal attempts
        attempts += 1
        if attempts == 2:
            await foreign.rollback()
        return await append(connection, appends)

    async with log_at(postgres) as log, asyncio.timeout(PATIENCE):
        store = EventStore(log.pool, SAMPLE.catalogue, GroupCommit(log.pool, commit))
        async with await psycopg.AsyncConnection.connect(postgres) as foreign:
            await foreign.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
            answers = await asyncio.gather(
                *(store.append(name(), [event()], NO_STREAM) for _ in range(10))
            )

    assert [one.version for one in answers] == [0] * 10
    assert attempts == 2


async def test_a_statement_that_takes_too_long_is_told_in_words(postgres: str) -> None:
    """The server gives up on it: nothing has been written, and the next one is served."""
    slow = [True]

    async def commit(connection: Connection, appends: Sequence[Append]) -> Sequence[Answer | None]:
        async with connection.transaction():
            answers = await append(connection, appends)
            if slow.pop():
                await connection.execute("SET LOCAL statement_timeout = '10ms'")
                await connection.execute("SELECT pg_sleep(60)")
            return answers

    async with log_at(postgres) as log, asyncio.timeout(PATIENCE):
        store, wanted = (
            EventStore(log.pool, SAMPLE.catalogue, GroupCommit(log.pool, commit)),
            events(2),
        )
        with pytest.raises(StoreUnavailable, match="statement timeout"):
            await store.append("transfer-1", wanted, NO_STREAM)
        assert await all_of(store.read("transfer-1")) == []

        slow.append(False)
        assert (await store.append("transfer-1", wanted, NO_STREAM)).version == 1
