"""The commands of the bus, and a forwarder in a process of its own, on a real broker."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

from application.command_dispatch import CommandDispatch
from application.messages import Context
from application.ports import EventStore
from application.receiving import cloud_events
from tests.e2e.bank import BANK
from tests.e2e.command_line import refusal
from tests.kafka_topics import committed
from tests.projection_specification import at
from tests.sample.accounts import Deposit
from tests.sample.service import SAMPLE
from tests.stores import on_another_store, opened
from tests.waiting import until

TOPIC = "bank.account"


async def deposit(store: EventStore, *ids: str) -> None:
    """Each is an integration event."""
    dispatch = CommandDispatch(store, SAMPLE.catalogue)
    for id in ids:
        context = Context.start("a test", uuid4(), at(0))
        await dispatch("a", Deposit(deposit_id=id, amount=1), context)


@pytest.fixture
def servers(servers: Mapping[str, str], kafka: str) -> dict[str, str]:
    """The settings that lead to empty servers, and to topics of this test's own."""
    return {
        **servers,
        "HEADWATER_BUS": "kafka",
        "HEADWATER_KAFKA_BOOTSTRAP_SERVERS": kafka,
        "HEADWATER_KAFKA_PREFIX": f"{uuid4()}.",
    }


@on_another_store()
async def test_events_are_published_and_published_again(
    tmp_path: Path, servers: dict[str, str], kafka: str
) -> None:
    """Topics are created, the status shows what is missing, and a replay moves a forwarder that
    runs: the records come again under the same ids."""
    topic = f"{servers['HEADWATER_KAFKA_PREFIX']}{TOPIC}"

    def bus(*arguments: str, code: int = 0) -> str:
        ended = BANK.run(tmp_path / "home", "bus", *arguments, **servers)
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout

    def status() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(bus("status", "--json"))
        return found

    def ids() -> list[str]:
        return [cloud_events.read(one).id for one in committed(kafka, topic)]

    assert "missing" in bus("topics", code=1)
    assert "created" in bus("topics", "--create", "--partitions", "3", "--replication", "1")
    async with opened(servers) as container:
        store = container.streams()
        await deposit(store, "d-1", "d-2", "d-3")
        before = status()
        assert (before["position"], before["lag_events"]) == (None, 3)
        with BANK.serving(tmp_path / "forwarder", "--role", "forwarders", **servers) as process:
            await until(lambda: has(process, ids(), 3))
            after = status()
            assert (after["published"], after["lag_events"]) == (3, 0)
            second = [one.position async for one in store.read("account-a")][1]
            told = bus("replay", "--from", str(second), "--dry-run")
            assert "2 records are published then, 2 of them again" in told
            assert len(ids()) == 3
            assert "The position was moved" in bus("replay", "--from", str(second))
            await deposit(store, "d-4")
            await until(lambda: has(process, ids(), 6))
    assert sorted(Counter(ids()).values()) == [1, 1, 2, 2]


def has(process: psutil.Popen, found: list[str], count: int) -> bool:
    assert process.poll() is None
    return len(found) >= count


@on_another_store()
def test_what_cannot_be_published_is_refused(tmp_path: Path, servers: dict[str, str]) -> None:
    """Without a bus, with a place that is none, and with a broker that is not there."""
    silent = {**servers, "HEADWATER_BUS": "", "HEADWATER_KAFKA_BOOTSTRAP_SERVERS": ""}
    ended = BANK.run(tmp_path / "home", "bus", "status", **silent)
    assert "set HEADWATER_BUS=kafka" in refusal(ended, 2)
    ended = BANK.run(tmp_path / "home", "bus", "topics", "--partitions", "3", **servers)
    assert "add --create" in refusal(ended, 2)
    away = {**servers, "HEADWATER_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    ended = BANK.run(tmp_path / "home", "bus", "topics", **away)
    assert "Connection refused" in refusal(ended, 1)
