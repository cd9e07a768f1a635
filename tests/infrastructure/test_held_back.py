"""Events that are held back: seen in the metrics, told by an alert, ended as the runbook says."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from infrastructure.container import wired
from infrastructure.monitoring.alerts import HELD_BACK
from infrastructure.shop.program import PROGRAM
from tests.promql import Scrapes
from tests.shop.infrastructure.shop import Shop, empty_shop, shop_over
from tests.stores import NOWHERE, understood
from tests.waiting import until_true

RUNBOOKS = Path(__file__).parents[2] / "docs" / "operations" / "runbooks.md"


def statements() -> tuple[str, str]:
    """What the runbook has somebody ask, and then do to a ``PID``."""
    section = RUNBOOKS.read_text().split("## Events that are held back\n")[1].split("\n## ")[0]
    who, end = re.findall(r"```sql\n(.*?)```", section, re.DOTALL)
    return who, end


@pytest.fixture
async def shop(postgres: str) -> AsyncIterator[Shop]:
    servers = {"HEADWATER_EVENT_STORE": "postgres", "HEADWATER_POSTGRES_URI": postgres, **NOWHERE}
    async with shop_over(wired(PROGRAM, understood(servers))) as shop:
        yield shop


@contextmanager
def forgotten(uri: str) -> Iterator[psycopg.Connection]:
    """A session in which an event was inserted, and nothing committed."""
    connection = psycopg.connect(uri)
    try:
        connection.execute(
            "INSERT INTO events (stream_id, stream_type, version, event_id, event_type,"
            " schema_version, event_data, metadata)"
            " VALUES ('order-x', 'order', 0, gen_random_uuid(), 'OrderPlaced', 1, '{}', '{}')"
        )
        yield connection
    finally:
        connection.close()


async def shown(shop: Shop, name: str) -> float | None:
    """What the service shows of what is held back; ``None``: nothing."""
    text = (await shop.http.get("/metrics")).text
    found = re.search(rf"^headwater_event_store_held_back_{name} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


async def test_events_that_are_held_back(shop: Shop, postgres: str) -> None:
    """Commands go on and readers wait; the runbook finds the session, and ends it."""
    await until_true(lambda: is_shown(shop, 0))
    who, end = statements()
    soon = replace(HELD_BACK, above=0)  # a test does not wait half a minute
    with forgotten(postgres) as culprit, psycopg.connect(postgres, autocommit=True) as operator:
        path = await shop.placed()
        await until_true(lambda: is_shown(shop, 2))
        text = (await shop.http.get("/metrics")).text
        assert Scrapes(text, text).finds(soon.expression)
        assert (await shop.http.get(path)).status_code == 404, "nobody may read past it"

        (found,) = operator.execute(who.encode()).fetchall()
        assert (found[0], found[6]) == (culprit.info.backend_pid, 2)
        operator.execute(end.replace("PID", str(found[0])).encode())
        await until_true(lambda: is_shown(shop, 0))
        assert (await shop.get(path)).status_code == 200


async def is_shown(shop: Shop, positions: int) -> bool:
    return await shown(shop, "events") == positions


async def test_what_nobody_knows_is_no_sample() -> None:
    """Before anybody has looked, and on a store that holds nothing back, there is none."""
    async with shop_over(empty_shop()) as shop:
        assert await shown(shop, "events") is None
        assert await shown(shop, "seconds") is None
