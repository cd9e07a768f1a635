"""PostgreSQL as an adapter: what is its own, beside the contract of the views."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg.abc import RV, PQGen
from psycopg.sql import SQL

from application.ports import Changed, CheckpointMoved, NotOurs, Removed, Seen, StoreUnavailable
from application.projections.builds import Build
from application.projections.builds import Note as Reason
from application.projections.projection import Projection, View
from infrastructure import postgres
from infrastructure import postgres as postgresql  # beside the fixture of that name
from infrastructure.postgres.connections import Within, connected
from infrastructure.postgres.pools import Connection


class Note(View):
    text: str


NOTES = Projection(
    name='no"tes; --',
    version=3,
    view=Note,
    follows=(),
    keys=lambda _: (),
    evolve=lambda note, _: note,
    indexed=("text",),
)


class LongNote(Note):
    lines: tuple[str, ...] = ()


class Counting(Connection):
    """Counts the statements that it is given, those of a transaction's ends too."""

    statements = 0

    async def wait(self, gen: PQGen[RV], *rest: Any, **named: Any) -> RV:
        self.statements += 1
        return await super().wait(gen, *rest, **named)


@asynccontextmanager
async def notes(uri: str, patience: float = 5.0) -> AsyncIterator[postgres.Views[Note]]:
    async with postgres.pool(uri, patience=patience) as pool:
        await postgres.migrate(pool)
        yield postgres.Views(pool, NOTES)


async def test_many_processes_may_prepare_at_once(postgres: str) -> None:
    """Whoever comes first creates the tables; nobody fails, and nothing is lost."""

    async def start(number: int) -> None:
        async with notes(postgres) as views:
            await views.prepare()
            if number == 0:
                await views.save({"a": Seen(Note(text="x"), 1)}, checkpoint=1, expected=None)
            await views.prepare()

    await asyncio.gather(*map(start, range(5)))

    async with notes(postgres) as views:
        assert await views.load(["a"]) == {"a": Seen(Note(text="x"), 1)}


@pytest.mark.parametrize(
    "question",
    ["{field} = '77' ORDER BY key", "{field} <= '2' ORDER BY {field}, key LIMIT 5"],
    ids=["equal", "by"],
)
async def test_a_search_by_an_indexed_field_reads_the_index(postgres: str, question: str) -> None:
    """What a projection declares as indexed is found without reading the whole table."""
    where = question.format(field="((view ->> 'text') COLLATE \"C\")")
    async with notes(postgres) as views:
        await views.prepare()
        many = {f"{n:05}": Seen(Note(text=str(n)), n) for n in range(5_000)}
        await views.save(many, checkpoint=5_000, expected=None)

    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("ANALYZE")
        plan = connection.execute(
            SQL("EXPLAIN SELECT key FROM {} WHERE {}").format(
                psycopg.sql.Identifier(Build(NOTES.name, NOTES.version).table), SQL(where)
            )
        ).fetchall()

    assert "Seq Scan" not in str(plan)


async def test_a_server_that_is_away_is_said_to_be_unavailable() -> None:
    """No address, a closed port: the application hears StoreUnavailable, soon."""
    with pytest.raises(StoreUnavailable, match="PostgreSQL: "):
        async with notes("postgresql://nobody@127.0.0.1:1/none", patience=0.2):
            pass


async def test_a_broken_connection_is_replaced(postgres: str) -> None:
    """The server was restarted in a quiet moment: nobody notices."""
    async with notes(postgres) as views:
        await views.prepare()
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND application_name = 'headwater'"
            )

        assert await views.checkpoint() is None


async def test_a_connection_that_has_just_answered_is_not_checked_again(postgres: str) -> None:
    """Until its server is gone, which needs no answer to be seen."""
    async with postgresql.pool(postgres) as pool, pool.connection() as connection:
        await connection.execute("SELECT 1")
        assert connection.answers
        with psycopg.connect(postgres, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
        assert not connection.answers


async def test_a_table_that_is_not_ours_is_never_touched(postgres: str) -> None:
    """A deploy that would need its name is refused, registers nothing, and can be begun later."""
    note = Reason("ann", "it has to be", datetime(2026, 1, 1, tzinfo=UTC))
    async with postgresql.pool(postgres) as pool:
        await postgresql.migrate(pool)
        builds = postgresql.Builds(pool)
        await builds.register([NOTES])
        table = psycopg.sql.Identifier(Build(NOTES.name, NOTES.version, 2).table)
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(SQL("CREATE TABLE {} AS SELECT 42 AS answer").format(table))

            with pytest.raises(NotOurs, match="is not a read model's"):
                await builds.begin(NOTES, note)

            assert connection.execute(SQL("SELECT answer FROM {}").format(table)).fetchall()
            assert len(await builds.standings()) == 1
            connection.execute(SQL("DROP TABLE {}").format(table))
        assert (await builds.begin(NOTES, note)).number == 2


async def test_text_that_postgresql_cannot_hold_is_an_error_of_that_event(postgres: str) -> None:
    """A NUL character is no reason to wait for better times: asking again would not help."""
    async with notes(postgres) as views:
        await views.prepare()

        with pytest.raises(psycopg.DataError):
            await views.save({"a": Seen(Note(text="\0"), 1)}, checkpoint=1, expected=None)

        assert await views.checkpoint() is None


async def test_a_batch_is_written_by_one_statement(postgres: str) -> None:
    """Checkpoint, views and removals: one way to the server and back, and all of it or nothing."""
    async with notes(postgres) as there:
        await there.prepare()
    async with await Counting.connect(postgres, autocommit=True) as connection:
        views = postgresql.Views(Within(connection), NOTES)
        await views.save({"a": Seen(Note(text="x"), 1)}, checkpoint=1, expected=None)
        connection.statements = 0
        both: Changed[Note] = {"a": Removed(2), "b": Seen(Note(text="y"), 2)}
        await views.save(both, checkpoint=2, expected=1)
        assert connection.statements == 1

        with pytest.raises(CheckpointMoved):
            await views.save({"a": Seen(Note(text="z"), 3)}, checkpoint=3, expected=1)
        assert await views.load(["a", "b"]) == {"b": Seen(Note(text="y"), 2)}
        assert await views.checkpoint() == 2


async def test_detail_that_the_store_has_is_not_written_again(postgres: str) -> None:
    """A view whose detail is the same object as before is written without it."""
    projection: Projection[Any] = replace(
        NOTES, view=LongNote, evolve=lambda note, _: note, detail=("lines",)
    )
    async with postgresql.pool(postgres) as pool:
        await postgresql.migrate(pool)
        views = postgresql.Views(pool, projection)
        await views.prepare()
        first = LongNote(text="x", lines=("a",))
        await views.save({"n": Seen(first, 1)}, checkpoint=1, expected=None)
        async with connected(pool) as connection:
            table = psycopg.sql.Identifier(Build(NOTES.name, NOTES.version).table)
            update = SQL("UPDATE {} SET detail = %s::jsonb").format(table)
            await connection.execute(update, ['{"lines": ["kept"]}'])

        later = first.model_copy(update={"text": "y"})
        await views.save({"n": Seen(later, 2, first)}, checkpoint=2, expected=1)

        assert await views.load(["n"]) == {"n": Seen(LongNote(text="y", lines=("kept",)), 2)}


async def test_who_is_cancelled_just_as_a_connection_comes_ends(postgres: str) -> None:
    """However close both are, it has been told to end, and does."""
    async with postgresql.pool(postgres, size=1) as pool:

        async def stays() -> None:
            async with connected(pool):
                await asyncio.Event().wait()

        for turns in range(20):
            async with connected(pool):
                waiting = asyncio.create_task(stays())
                await asyncio.sleep(0.01)
            for _ in range(turns):
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting], timeout=5)
            assert waiting.cancelled()


@pytest.mark.parametrize("style", ["SQL,DMY", "German", "Postgres,MDY"])
async def test_a_database_that_writes_dates_otherwise_is_read_all_the_same(
    postgres: str, style: str
) -> None:
    """What a database or a role has set, each connection sets as the service needs it."""
    settings = f"-cDateStyle={style} -cTimeZone=America/New_York -cIntervalStyle=iso_8601"
    isolation = "-cdefault_transaction_isolation=serializable"
    odd = f"{postgres}{quote(f' {settings} {isolation}')}"
    note = Reason("ann", "it has to be", datetime(2026, 1, 2, 3, tzinfo=UTC))
    for opened in (postgresql.pool, postgresql.durable_pool):
        async with opened(odd) as pool:
            await postgresql.migrate(pool)
            async with pool.connection() as connection:
                found = await connection.execute("SELECT timestamptz '2026-01-02 03:00Z'")
                assert await found.fetchone() == (note.at,)
                shown = await (await connection.execute("SHOW transaction_isolation")).fetchone()
                assert shown == ("read committed",)


async def test_a_database_in_another_encoding_is_refused_at_the_start(
    postgres_for_all: str,
) -> None:
    """The answer names the encoding, and what to create instead."""
    with psycopg.connect(postgres_for_all, autocommit=True) as connection:
        connection.execute(
            "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 "
            "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        try:
            address = urlsplit(postgres_for_all)._replace(path="/latin").geturl()
            async with postgresql.pool(address) as pool:
                with pytest.raises(StoreUnavailable, match=r"LATIN1.*ENCODING 'UTF8'"):
                    await postgresql.migrate(pool)
        finally:
            connection.execute("DROP DATABASE latin WITH (FORCE)")
