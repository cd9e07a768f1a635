"""Migrations: each is applied once, and a role that may not apply them can still use them."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from application.ports import StoreUnavailable
from infrastructure import postgres as postgresql
from infrastructure.container import migrate, opened_to_serve, wired
from infrastructure.postgres.migrating import Migration, migrations
from infrastructure.processes.service import reacting
from infrastructure.shop.program import PROGRAM
from infrastructure.shop.settings import ShopSettings
from tests.servers import role
from tests.shop.infrastructure.shop import ORDER, shop_over
from tests.waiting import until_true

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "run-on-postgresql.md"
NOWHERE = "http://127.0.0.1:1"


def grants() -> str:
    """What the page has the owner run for the role of the service."""
    (shown,) = re.findall(r"```sql\n(GRANT .*?)```", PAGE.read_text(), re.DOTALL)
    return str(shown)


def at(uri: str, **others: Any) -> ShopSettings:
    return ShopSettings(event_store="postgres", postgres_uri=uri, **others)


async def test_a_second_time_there_is_nothing_to_do(postgres: str) -> None:
    """The first time tells what it applied, in order; the second time applies nothing."""
    names = [migration.name for migration in migrations()]
    assert list(await migrate(wired(PROGRAM, at(postgres)))) == names
    assert list(await migrate(wired(PROGRAM, at(postgres)))) == []


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


@pytest.mark.parametrize("migrated", [False, True])
async def test_who_may_not_migrate_is_told_what_to_do(postgres: str, migrated: bool) -> None:
    """Whether there are no tables yet, or none that this role may read."""
    if migrated:
        await migrate(wired(PROGRAM, at(postgres)))
    with role(postgres, "GRANT USAGE ON SCHEMA public TO shop") as uri:
        settings = at(uri, payment_provider_uri=NOWHERE, carrier_uri=NOWHERE)

        with pytest.raises(StoreUnavailable, match="run `headwater migrate` as a role"):
            async with opened_to_serve(wired(PROGRAM, settings)):
                pass


async def test_the_service_needs_no_more_than_the_page_grants(postgres: str) -> None:
    """Its role makes and owns no table: commands, read models and sagas work all the same."""
    await migrate(wired(PROGRAM, at(postgres)))
    with role(postgres, grants()) as uri:
        container = wired(PROGRAM, at(uri, payment_provider_uri=NOWHERE, carrier_uri=NOWHERE))
        async with shop_over(container) as shop, reacting(container):
            path = await shop.placed()
            saga = f"order_fulfilment-{path.removeprefix('/orders/')}"

            async def begun() -> bool:
                return bool(await shop.events(saga))

            await until_true(begun)
            assert (await shop.get(path)).json()["country"] == ORDER["country"]
            assert (await shop.get("/products?words=none")).status_code == 200
