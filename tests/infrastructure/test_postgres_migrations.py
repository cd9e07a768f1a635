"""Migrations: each is applied once, and a role that may not apply them can still use them."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest

from application.ports import StoreUnavailable
from infrastructure import postgres as postgresql
from infrastructure.connecting import migrate, opened_to_serve
from infrastructure.container import wired
from infrastructure.postgres.migrating import Migration, migrations
from infrastructure.processes.service import reacting
from infrastructure.settings import Settings
from tests.sample.client import TRANSFER, bank_over, id_of
from tests.sample.program import BANK
from tests.servers import role
from tests.waiting import until_true

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "run-on-postgresql.md"


def grants() -> str:
    """What the page has the owner run for the role of the service."""
    (shown,) = re.findall(r"```sql\n(GRANT .*?)```", PAGE.read_text(), re.DOTALL)
    return str(shown)


def at(uri: str) -> Settings:
    return Settings(event_store="postgres", postgres_uri=uri)


async def test_a_second_time_there_is_nothing_to_do(postgres: str) -> None:
    """The first time tells what it applied, in order; the second time applies nothing."""
    names = [migration.name for migration in migrations()]
    assert list(await migrate(wired(BANK, at(postgres)))) == names
    assert list(await migrate(wired(BANK, at(postgres)))) == []


def test_each_migration_has_a_number_of_its_own() -> None:
    """So their order is the order in which they were made, and a later one never comes before."""
    numbers = [migration.name.partition("_")[0] for migration in migrations()]
    assert numbers == sorted({*numbers})


async def test_what_has_been_applied_is_never_edited(postgres: str) -> None:
    """A file that reads otherwise than when it was applied is refused by its name."""
    first, *others = migrations()
    async with postgresql.pool(postgres) as pool:
        await postgresql.migrate(pool)

        with pytest.raises(StoreUnavailable, match=f"{first.name} is not the one that was applied"):
            await postgresql.migrate(pool, [replace(first, sql=f"{first.sql} "), *others])


async def test_all_or_nothing(postgres: str) -> None:
    """When a later one fails, none of those before it has been applied."""
    broken = Migration("9999_broken", "CREATE TABLE a (b int); SELECT 1 / 0")
    async with postgresql.pool(postgres) as pool:
        with pytest.raises(Exception, match="division by zero"):
            await postgresql.migrate(pool, [*migrations(), broken])

        assert await postgresql.migrate(pool) == [migration.name for migration in migrations()]


async def test_indexes_are_made_while_others_write(postgres: str) -> None:
    """On a table with rows, two processes at once make the indexes without a lock on the table:
    the same ones as on an empty table, also where one was broken off before."""
    known = migrations()
    at = max(number for number, one in enumerate(known) if one.indexes)
    before, later = known[:at], known[at:]
    names = [name for name, _ in later[0].indexes]
    async with postgresql.pool(postgres) as pool, pool.connection() as connection:
        await postgresql.migrate(pool, before)
        await connection.execute(
            "INSERT INTO events (stream_id, stream_type, version, event_id, event_type, "
            "schema_version, event_data, metadata) VALUES ('a-1', 'a', 0, gen_random_uuid(), "
            "'A', 1, '{}', '{}')"
        )
        await connection.execute(f"CREATE INDEX {names[0]} ON events (version)".encode())
        await connection.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(%s)", [names[0]]
        )

        async with asyncio.TaskGroup() as group:
            both = [group.create_task(postgresql.migrate(pool)) for _ in range(2)]

        assert sorted(list(one.result()) for one in both) == [[], [one.name for one in later]]
        found = await connection.execute(
            "SELECT indexdef FROM pg_indexes JOIN pg_index ON indexrelid = to_regclass(indexname) "
            "WHERE indexname = ANY(%s) AND indisvalid AND schemaname = current_schema()",
            [names],
        )
        made = [definition for (definition,) in await found.fetchall()]
    assert len(made) == len(names)
    assert not any("(version)" in definition for definition in made)


@pytest.mark.parametrize("migrated", [False, True])
async def test_who_may_not_migrate_is_told_what_to_do(postgres: str, migrated: bool) -> None:
    """Whether there are no tables yet, or none that this role may read."""
    if migrated:
        await migrate(wired(BANK, at(postgres)))
    with role(postgres, "GRANT USAGE ON SCHEMA public TO service") as uri:
        container = wired(BANK, at(uri))
        with pytest.raises(StoreUnavailable, match="run `migrate` as a role"):
            async with opened_to_serve(container):
                pass


async def test_the_service_needs_no_more_than_the_page_grants(postgres: str) -> None:
    """Its role makes and owns no table: commands, read models and sagas work all the same."""
    await migrate(wired(BANK, at(postgres)))
    with role(postgres, grants()) as uri:
        container = wired(BANK, at(uri))
        async with bank_over(container) as bank, reacting(container):
            path = await bank.requested()
            saga = f"money_transfer-{id_of(path)}"

            async def begun() -> bool:
                return bool(await bank.events(saga))

            await until_true(begun)
            assert (await bank.get(path)).json()["source"] == TRANSFER["source"]
            assert (await bank.get("/payees?words=none")).status_code == 200
