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
from tests.promql import Scrapes
from tests.sample.client import Bank, bank_over, empty_bank
from tests.sample.program import BANK
from tests.stores import settings_of
from tests.waiting import until_true

RUNBOOKS = Path(__file__).parents[2] / "docs" / "operations" / "runbooks.md"


def statements() -> tuple[str, str]:
    """What the runbook has somebody ask, and then do to a ``PID``."""
    section = RUNBOOKS.read_text().split("## Events that are held back\n")[1].split("\n## ")[0]
    who, end = re.findall(r"```sql\n(.*?)```", section, re.DOTALL)
    return who, end


@pytest.fixture
async def bank(postgres: str) -> AsyncIterator[Bank]:
    servers = {"HEADWATER_EVENT_STORE": "postgres", "HEADWATER_POSTGRES_URI": postgres}
    async with bank_over(wired(BANK, settings_of(servers))) as bank:
        yield bank


@contextmanager
def forgotten(uri: str) -> Iterator[psycopg.Connection]:
    """A session in which an event was inserted, and nothing committed."""
    connection = psycopg.connect(uri)
    try:
        connection.execute(
            "INSERT INTO events (stream_id, stream_type, version, event_id, event_type,"
            " schema_version, event_data, metadata)"
            " VALUES ('transfer-x', 'transfer', 0, gen_random_uuid(), 'TransferRequested', 1, '{}',"
            " '{}')"
        )
        yield connection
    finally:
        connection.close()


async def shown(bank: Bank, name: str) -> float | None:
    """What the service shows of what is held back; ``None``: nothing."""
    text = (await bank.http.get("/metrics")).text
    found = re.search(rf"^headwater_event_store_held_back_{name} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


async def test_events_that_are_held_back(bank: Bank, postgres: str) -> None:
    """Commands go on and readers wait; the runbook finds the session, and ends it."""
    await until_true(lambda: is_shown(bank, 0))
    who, end = statements()
    soon = replace(HELD_BACK, above=0)  # a test does not wait half a minute
    with forgotten(postgres) as culprit, psycopg.connect(postgres, autocommit=True) as operator:
        path = await bank.requested()
        await until_true(lambda: is_shown(bank, 2))
        text = (await bank.http.get("/metrics")).text
        assert Scrapes(text, text).finds(soon.expression)
        await until_true(lambda: is_answered(bank, path, 404))  # nobody may read past it

        (found,) = operator.execute(who.encode()).fetchall()
        assert (found[0], found[6]) == (culprit.info.backend_pid, 2)
        operator.execute(end.replace("PID", str(found[0])).encode())
        await until_true(lambda: is_shown(bank, 0))
        assert (await bank.get(path)).status_code == 200


async def is_answered(bank: Bank, path: str, status: int) -> bool:
    return (await bank.http.get(path)).status_code == status


async def is_shown(bank: Bank, positions: int) -> bool:
    return await shown(bank, "events") == positions


async def test_what_nobody_knows_is_no_sample() -> None:
    """Before anybody has looked, and on a store that holds nothing back, there is none."""
    async with bank_over(empty_bank()) as bank:
        assert await shown(bank, "events") is None
        assert await shown(bank, "seconds") is None
