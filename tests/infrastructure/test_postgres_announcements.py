"""Whoever writes events, however, announces it: readers stay below all that may yet be there."""

import asyncio
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import Connection

from application.ports import NO_STREAM, Progress
from tests.contracts.made_up import event, events, name
from tests.infrastructure.postgres_log import (
    INSERT,
    Log,
    Seen,
    inserted,
    log_at,
    only_events,
)
from tests.waiting import PATIENCE


def rows(connection: Connection[Any], question: str, *values: object) -> list[tuple[Any, ...]]:
    return connection.execute(question.encode(), values).fetchall()


def savepoint_rolled_back(late: Connection[Any]) -> list[int]:
    """Only what came before it, and what comes after."""
    first = inserted(late, name())
    with late.transaction(force_rollback=True):
        inserted(late, name())
    return first + inserted(late, name())


def only_a_savepoint_rolled_back(late: Connection[Any]) -> list[int]:
    """Nothing is announced any more when the next insert comes: it has to announce itself."""
    with late.transaction(force_rollback=True):
        inserted(late, name())
    return inserted(late, name())


def savepoint_kept(late: Connection[Any]) -> list[int]:
    with late.transaction():
        kept = inserted(late, name())
    return kept + inserted(late, name())


def savepoint_within_a_savepoint(late: Connection[Any]) -> list[int]:
    with late.transaction(force_rollback=True), late.transaction():
        inserted(late, name())
    with late.transaction():
        return inserted(late, name())


def block_with_an_exception(late: Connection[Any]) -> list[int]:
    late.execute("""
        DO $$
        BEGIN
            INSERT INTO events (stream_id, stream_type, version, event_id, event_type,
                schema_version, event_data, metadata)
            VALUES ('a-1', 'a', 0, gen_random_uuid(), 'Noted', 1, '{}', '{}');
            RAISE EXCEPTION 'never mind';
        EXCEPTION WHEN raise_exception THEN NULL;
        END $$
        """)
    return inserted(late, name())


def copied(late: Connection[Any]) -> list[int]:
    stream = name()
    columns = "stream_id, stream_type, version, event_id, event_type, schema_version"
    with (
        late.cursor() as cursor,
        cursor.copy(f"COPY events ({columns}, event_data, metadata) FROM STDIN".encode()) as copy,
    ):
        for version in range(3):
            copy.write_row((stream, "stream", version, uuid4(), "Noted", 1, "{}", "{}"))
    found = rows(late, "SELECT global_position FROM events WHERE stream_id = %s", stream)
    return [position for (position,) in found]


def as_a_replica(late: Connection[Any]) -> list[int]:
    late.execute("SET LOCAL session_replication_role = replica")
    return inserted(late, name())


def settings_reset(late: Connection[Any]) -> list[int]:
    first = inserted(late, name())
    late.execute("RESET ALL")
    return first + inserted(late, name())


def the_second_of_two_transactions(late: Connection[Any]) -> list[int]:
    inserted(late, name())
    late.execute("COMMIT AND CHAIN")
    return inserted(late, name())


def after_a_conflict(late: Connection[Any]) -> list[int]:
    """Rows that meet a conflict use positions up, too."""
    stream = name()
    inserted(late, stream)
    late.execute("COMMIT AND CHAIN")
    nothing = INSERT.replace("RETURNING", "ON CONFLICT DO NOTHING RETURNING")
    late.execute(nothing.encode(), [stream, stream, 0, 0])
    return inserted(late, stream, version=1)


@pytest.mark.parametrize(
    "write",
    [
        savepoint_rolled_back,
        only_a_savepoint_rolled_back,
        savepoint_kept,
        savepoint_within_a_savepoint,
        block_with_an_exception,
        copied,
        as_a_replica,
        settings_reset,
        the_second_of_two_transactions,
        after_a_conflict,
    ],
)
async def test_however_it_is_written_it_is_announced(postgres: str, write: Any) -> None:
    """Savepoints, COPY, blocks that fail: readers stay below all that may yet be committed."""
    async with log_at(postgres) as log:
        with psycopg.connect(postgres) as late:
            late.execute("SELECT 1")  # so that what follows is within a transaction
            filled = write(late)
            after = await log.events.append(name(), [event()], NO_STREAM)

            assert await log.readable() < min(filled)
            assert (await log.horizon.readable())[1]
            late.commit()
        assert await log.horizon.readable() == (after.position, False)
        found = await positions(log)

    assert set(filled) < set(found)


async def positions(log: Log) -> list[int]:
    """All that a new reader sees until it has caught up."""
    seen: Seen = []
    async with asyncio.timeout(PATIENCE):
        await log.follow(seen, lambda: isinstance(seen[-1], Progress) and seen[-1].caught_up)
    return [one.position for one in only_events(seen)]


async def test_a_transaction_is_announced_once(postgres: str) -> None:
    """A transaction of very many inserts takes one lock, not one for each of them."""
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    async with log_at(postgres) as log:
        with psycopg.connect(postgres) as late:
            for version in range(50):
                inserted(late, "a-1", version=version)
            assert rows(late, locks) == [(1,)]

            late.execute("SAVEPOINT here")
            late.execute("ROLLBACK TO here")
            assert rows(late, locks) == [(1,)]
        assert await log.readable() == 50


@pytest.mark.parametrize(
    ("last_given", "announced"),
    [
        (0, 0),
        (5, 0),
        (2**31 + 5, 2**31 - 1),
        (2**32 - 1, 2**32 - 1),
        (2**32, 2**32 - 1),
        (2**32 + 7, 2**32 - 3),
        (5 * 2**32 + 1, 5 * 2**32 - 2**30),
        (3 * 2**32 + 2**31, 3 * 2**32 + 1),
        (7, 9),  # announced after it was asked which position was given last
        (2**32 - 2, 2**32 + 3),
        (2**62, 2**62 - 1),
    ],
)
async def test_32_bits_of_a_position_are_enough(
    postgres: str, last_given: int, announced: int
) -> None:
    """Of all positions with these bits it is the one nearest to the last that was given."""
    async with log_at(postgres), await psycopg.AsyncConnection.connect(postgres) as late:
        await late.execute(
            "SELECT pg_advisory_xact_lock_shared('events'::regclass::oid::int,"
            " (%s::bigint & 4294967295)::oid::int)",
            [announced],
        )
        with psycopg.connect(postgres) as reader:
            found = rows(reader, "SELECT beyond, held_by FROM events_announced(%s)", last_given)
        assert found == [(announced, late.info.backend_pid)]


async def test_announcements_pass_the_wrap(postgres: str) -> None:
    """The trigger keeps the bits of real positions beyond 2^31 and 2^32 where they are found."""
    async with log_at(postgres) as log:
        for start in (2**31 - 2, 2**32 - 2, 2**40 + 2**31 - 1):
            with psycopg.connect(postgres) as owner:
                owner.execute(f"ALTER SEQUENCE events_global_position_seq RESTART {start}".encode())
            first = await log.events.append(name(), [event()], NO_STREAM)
            with psycopg.connect(postgres) as late:
                inserted(late, name())
                last = await log.events.append(name(), events(4), NO_STREAM)
                assert await log.horizon.readable() == (first.position, True)
                assert (await log.horizon.held_back()).positions == 5
            assert await log.horizon.readable() == (last.position, False)
