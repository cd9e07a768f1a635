"""``headwater parked``, and the runbook *parked events*, drilled on each event store."""

import asyncio
import csv
import io
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from application.consuming import GroupConsumer
from application.messages import Context, RecordedEvent
from application.parking_stream import ParkingStream
from application.ports import NO_STREAM, ConsumerGroups, EventStore
from infrastructure.cli.main import command_line
from tests.sample.aggregates import TRANSFER
from tests.sample.program import BANK
from tests.sample.service import SAMPLE
from tests.sample.transfers import TransferCancelled
from tests.stores import opened
from tests.waiting import until_true


class Drill:
    """A store with a group whose handler fails on some streams, and the operator's commands."""

    def __init__(self, servers: Mapping[str, str]) -> None:
        self.servers, self.failing = servers, {"transfer-a", "transfer-b"}
        self.handled: list[tuple[str, int]] = []

    def parked(self, *arguments: str, code: int = 0) -> str:
        environment = {**self.servers, "COLUMNS": "300"}
        result = CliRunner().invoke(command_line(BANK), ["parked", *arguments], env=environment)
        assert result.exit_code == code, result.output
        return result.stdout if {"--json", "--csv"} & {*arguments} else result.output

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.parked("list", "--json"))
        return sorted(found, key=lambda held: str(held["stream"]))

    def of_status(self, status: str) -> list[str]:
        """The events with that status, sorted; each is of that status alone."""
        found = json.loads(self.parked("list", "--status", status, "--json"))
        table = list(csv.DictReader(io.StringIO(self.parked("list", "--status", status, "--csv"))))
        assert [one["event_id"] for one in table] == [one["event_id"] for one in found]
        assert {one["status"] for one in found} <= {status}
        return sorted(f"{one['stream']}@{one['version']}" for one in found)

    def trail(self) -> list[dict[str, Any]]:
        """What operators have done, newest first."""
        arguments = ["audit-trail", "--json"]
        result = CliRunner().invoke(command_line(BANK), arguments, env={**self.servers})
        assert result.exit_code == 0, result.output
        found: list[dict[str, Any]] = json.loads(result.stdout)["actions"]
        return found

    def work(self, until: Callable[[ParkingStream], Awaitable[bool]], put: bool = False) -> None:
        """Run the consumer until that is true of its parking."""
        asyncio.run(self._work(until, put))

    async def _work(self, until: Callable[[ParkingStream], Awaitable[bool]], put: bool) -> None:
        async with opened(self.servers) as container:
            await self._consume(container.streams(), container.consumer_groups(), until, put)

    async def _consume(
        self,
        store: EventStore,
        groups: ConsumerGroups,
        until: Callable[[ParkingStream], Awaitable[bool]],
        put: bool,
    ) -> None:
        if put:
            context = Context.start("a test", uuid4(), datetime.now(UTC))
            for stream in ("transfer-a", "transfer-b", "transfer-c"):
                new = [
                    SAMPLE.catalogue.new_event(TransferCancelled(reason=r), uuid4(), context)
                    for r in "xyz"
                ]
                await store.append(stream, new, NO_STREAM)
        parking = ParkingStream(store, "drill")
        consumer = GroupConsumer(
            "drill",
            TRANSFER.only(TransferCancelled),
            self._handle,
            groups,
            store,
            None,
            ParkingStream(store, "drill"),
        )
        task = asyncio.create_task(consumer.run())
        try:
            await until_true(lambda: until(parking))
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def has_all(self, parking: ParkingStream) -> bool:
        """What fails is parked, with what waits behind it, and the rest is handled."""
        return len((await parking.look()).held) == 6 and len(self.handled) == 3

    async def _handle(self, recorded: RecordedEvent) -> None:
        if recorded.stream in self.failing:
            raise LookupError(f"no address for {recorded.stream}")
        self.handled.append((recorded.stream, recorded.version))


def holds(count: int) -> Callable[[ParkingStream], Awaitable[bool]]:
    async def it_does(parking: ParkingStream) -> bool:
        return len((await parking.look()).held) == count

    return it_does


@pytest.fixture
def drill(servers: Mapping[str, str]) -> Drill:
    return Drill(servers)


def test_the_runbook_parked_events(drill: Drill) -> None:
    """See, mend, try one, replay the rest, give up what is done by hand: step by step."""
    assert "Nothing is parked" in drill.parked("list")
    drill.work(drill.has_all, put=True)  # alert: something is parked
    assert [version for stream, version in drill.handled if stream == "transfer-c"] == [0, 1, 2]

    first, second = drill.listed()  # 1. what failed, and what waits behind it
    assert (first["stream"], first["waiting_behind"], second["stream"]) == (
        "transfer-a",
        2,
        "transfer-b",
    )
    assert "LookupError: no address for transfer-a" in drill.parked("list", "--group", "drill")
    shown = drill.parked("show", first["event_id"])  # 2. more of it
    assert "behind_it: " in shown

    drill.failing = {"transfer-b"}  # 3. one cause is mended; what would a replay do?
    said = drill.parked("replay", "--all", "--dry-run")
    assert "2 to be replayed, 4 waiting behind them" in said
    assert "Nothing was recorded" in said
    assert not any(held["replay_requested"] for held in drill.listed())

    drill.parked("replay", first["event_id"], "--by", "ada", "--reason", "the address is there")
    assert [held["replay_requested"] for held in drill.listed()] == [True, False]
    drill.work(holds(3))
    assert [version for stream, version in drill.handled if stream == "transfer-a"] == [0, 1, 2]

    assert "1 to be replayed" in drill.parked("replay", "--all", "--rate", "50")  # 4. the rest
    drill.work(failed_again)

    drill.failing = set()
    drill.parked("discard", second["event_id"], "--reason", "done by hand", "--by", "ada")  # 5.
    drill.work(holds(0))
    assert [version for stream, version in drill.handled if stream == "transfer-b"] == [1, 2]
    assert "Nothing is parked" in drill.parked("list")

    done = [(one["action"], one["by"], one["outcome"]) for one in drill.trail()]  # who did what
    assert done[0] == ("parked discard", "ada", "done")
    assert done[-1] == ("parked replay", "ada", "done")


async def failed_again(parking: ParkingStream) -> bool:
    held = (await parking.look()).first("transfer-b")
    return held is not None and not held.ready


def test_the_list_is_of_one_status(drill: Drill) -> None:
    """What failed, what is to be handled again, and what waits behind them; the count follows."""
    drill.work(holds(6), put=True)
    drill.parked("replay", "--stream", "transfer-a", "--reason", "try it")

    assert drill.of_status("failed") == ["transfer-b@0"]
    assert drill.of_status("ready") == ["transfer-a@0"]
    behind = ["transfer-a@1", "transfer-a@2", "transfer-b@1", "transfer-b@2"]
    assert drill.of_status("waiting") == behind
    assert "failed: 1, waiting behind them: 2" in drill.parked("list", "--status", "failed")
    assert "waiting: 4" in drill.parked("list", "--status", "waiting")
    assert "parked: 6" in drill.parked("list", "--status", "all")
    assert "parked: 2, waiting behind them: 4" in drill.parked("list")
    nothing = drill.parked("list", "--status", "failed", "--until", "2020-01-01")
    assert "No event with the status failed of that time is parked." in nothing
    wrong = drill.parked("list", "--status", "lost", code=2)
    assert "--status: no parked event is 'lost', but first, failed, ready, waiting, all" in wrong


def test_what_cannot_be_done_is_said(drill: Drill) -> None:
    """One clear sentence, and the exit code says whether it was asked wrongly."""
    drill.work(holds(6), put=True)
    behind = json.loads(drill.parked("show", drill.listed()[0]["event_id"], "--json"))["behind_it"]

    assert "comes first" in drill.parked("replay", behind[0], code=1)
    assert "is not parked" in drill.parked("show", str(uuid4()), code=1)
    assert "no group nobody" in drill.parked("list", "--group", "nobody", code=1)
    assert "transfer-x has no parked event" in drill.parked(
        "replay", "--stream", "transfer-x", code=1
    )
    assert "give one of EVENT_ID" in drill.parked("replay", code=2)
    assert "--reason is empty" in drill.parked("discard", behind[0], "--reason", " ", code=2)
    assert "1 to be replayed" in drill.parked("replay", "--all", "--limit", "1", "--dry-run")
