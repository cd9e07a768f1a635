"""Positions are given out before they are committed: no reader passes one that may be filled."""

import asyncio
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from application.ports import NO_STREAM, Progress
from infrastructure.postgres.events.horizon import HeldBack
from tests.contracts.made_up import event, events, name
from tests.infrastructure.postgres_log import (
    INSERT,
    Seen,
    inserted,
    inserted_into,
    log_at,
    only_events,
)
from tests.waiting import PATIENCE, until

NOTHING = HeldBack(positions=0, seconds=0.0)


def rows(connection: Connection[Any], question: str, *values: object) -> list[tuple[Any, ...]]:
    return connection.execute(question.encode(), values).fetchall()


@pytest.mark.parametrize("ending", ["commit", "rollback", "killed"])
async def test_readers_stop_below_what_is_not_decided(postgres: str, ending: str) -> None:
    """A transaction that inserted holds readers; when it ends they go on, and lose nothing."""
    seen: Seen = []
    async with log_at(postgres) as log, asyncio.timeout(PATIENCE):
        first = await log.events.append(name(), [event()], NO_STREAM)
        async with await psycopg.AsyncConnection.connect(postgres) as late:
            (held,) = await inserted_into(late, name())
            later = [(await log.events.append(name(), events(2), NO_STREAM)) for _ in range(3)]
            following = asyncio.create_task(
                log.follow(seen, lambda: len(only_events(seen)) == 7 + (ending == "commit"))
            )
            await until(lambda: Progress(first.position, caught_up=True) in seen)
            assert await log.horizon.readable() == (first.position, True)
            assert [one.position for one in only_events(seen)] == [first.position]

            if ending == "killed":
                with psycopg.connect(postgres, autocommit=True) as other:
                    rows(other, "SELECT pg_terminate_backend(%s)", late.info.backend_pid)
                await late.close()
            else:
                await (late.commit() if ending == "commit" else late.rollback())
            await following
            assert await log.horizon.readable() == (later[-1].position, False)

    positions = [one.position for one in only_events(seen)]
    assert positions == sorted(positions)
    assert (held in positions) == (ending == "commit")


async def test_how_much_is_held_back_and_for_how_long_is_shown(postgres: str) -> None:
    """In positions, and in seconds since the transaction began; nothing is 0 for 0 seconds."""
    async with log_at(postgres) as log:
        assert await log.horizon.held_back() == NOTHING
        with psycopg.connect(postgres) as late:
            inserted(late, name())
            await log.events.append(name(), events(9), NO_STREAM)
            first = await log.horizon.held_back()
            second = await log.horizon.held_back()

        assert (first.positions, second.positions) == (10, 10)
        assert 0 < first.seconds < second.seconds
        assert await log.horizon.held_back() == NOTHING


async def test_a_long_transaction_that_appends_nothing_holds_nobody(postgres: str) -> None:
    """However old it is, whatever else it writes, be it another store in the same database."""
    other = Identifier(f"other_{uuid4().hex}")
    async with log_at(postgres) as log:
        with psycopg.connect(postgres) as setup:
            setup.execute(SQL("CREATE SCHEMA {}").format(other))
            setup.execute(SQL("CREATE TABLE {}.events (LIKE events)").format(other))
            setup.execute("CREATE TABLE notes (note text)")
        with psycopg.connect(postgres) as long:
            long.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
            long.execute("INSERT INTO notes VALUES ('mine')")
            long.execute(SQL("LOCK TABLE {}.events").format(other))
            long.execute("SELECT pg_advisory_xact_lock(1, 1), count(*) FROM events")
            appended = await log.events.append(name(), [event()], NO_STREAM)

            assert await log.horizon.readable() == (appended.position, False)
        with psycopg.connect(postgres) as setup:
            setup.execute(SQL("DROP SCHEMA {} CASCADE").format(other))


async def test_two_stores_in_one_database_do_not_mix(postgres: str, postgres_for_all: str) -> None:
    """A writer means the table that it names, whatever its own search path leads to."""
    ours = postgres.partition("search_path%3D")[2]
    other = f"other_{uuid4().hex}"
    with psycopg.connect(postgres_for_all, autocommit=True) as setup:
        setup.execute(SQL("CREATE SCHEMA {}").format(Identifier(other)))
        async with log_at(postgres) as log, log_at(postgres.replace(ours, other)) as far_ahead:
            for _ in range(3):
                await far_ahead.events.append(name(), events(5), NO_STREAM)
            for path in (other, "pg_catalog"):
                with psycopg.connect(postgres_for_all) as late:
                    late.execute(SQL("SET search_path = {}").format(Identifier(path)))
                    mine = f"INSERT INTO {ours}.events"
                    late.execute(
                        INSERT.replace("INSERT INTO events", mine).encode(), ["a-1", "a-1", 0, 0]
                    )
                    last = await log.events.append(name(), [event()], NO_STREAM)

                    assert (await log.horizon.readable())[1]
                    assert await log.readable() < last.position - 1
                    assert not (await far_ahead.horizon.readable())[1]
                    late.rollback()
        setup.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(other)))


async def test_the_first_position_is_not_passed_either(postgres: str) -> None:
    """In an empty store nothing can be read, also while the very first event is being written."""
    async with log_at(postgres) as log:
        assert await log.horizon.readable() == (0, False)
        with psycopg.connect(postgres) as late:
            assert inserted(late, name()) == [1]
            assert await log.horizon.readable() == (0, True)
        assert await log.horizon.readable() == (1, False)


async def test_a_horizon_that_goes_back_repeats_nothing(postgres: str) -> None:
    """Who has announced an old position late makes readers wait, not read again."""
    seen: Seen = []
    async with log_at(postgres) as log, asyncio.timeout(PATIENCE):
        await log.events.append(name(), events(3), NO_STREAM)
        following = asyncio.create_task(log.follow(seen, lambda: len(only_events(seen)) == 4))
        await until(lambda: len(only_events(seen)) == 3)
        with psycopg.connect(postgres) as late:
            late.execute("SELECT pg_advisory_xact_lock_shared('events'::regclass::oid::int, 1)")
            assert await log.horizon.readable() == (1, True)
            await log.events.append(name(), [event()], NO_STREAM)
            inserted(late, name())
            late.rollback()
        await following

    assert [one.position for one in only_events(seen)] == [1, 2, 3, 4]
