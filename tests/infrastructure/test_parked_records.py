"""The runbook *poison records on the bus*, drilled on each event store, with its commands."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from typer.testing import CliRunner

from application.receiving.receiver import Receiver
from infrastructure import memory
from infrastructure.cli.main import command_line
from infrastructure.container import Container
from tests.application.receiving_world import TOPIC, at_work, headers
from tests.sample.accounts import Deposited
from tests.sample.incoming import CLEARING
from tests.sample.program import BANK
from tests.stores import opened
from tests.waiting import until_true


class Drill:
    """A bank on some servers, the topics of its clearing house, and the operator's commands."""

    def __init__(self, servers: Mapping[str, str]) -> None:
        self.servers, self.topics = servers, memory.IncomingRecords()

    def parked(self, *arguments: str) -> str:
        environment = {**self.servers, "COLUMNS": "300"}
        result = CliRunner().invoke(command_line(BANK), ["parked", *arguments], env=environment)
        assert result.exit_code == 0, result.output
        return result.stdout if "--json" in arguments else result.output

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.parked("list", "--json"))
        return found

    def receive(self, until: Callable[[Container], Awaitable[bool]]) -> None:
        """Run a receiver until that is true."""
        asyncio.run(self._receive(until))

    async def _receive(self, until: Callable[[Container], Awaitable[bool]]) -> None:
        async with opened(self.servers) as container:
            receiver = Receiver(
                CLEARING,
                "bank.clearing",
                self.topics,
                container.dispatch(),
                container.event_store(),
                container.consumer_groups(),
                container.payloads(),
                lambda: datetime.now(UTC),
            )
            async with at_work(receiver):
                await until_true(lambda: until(container))

    def pays(self, id: str, amount: object = 5) -> None:
        data = {"payment_id": id, "account_id": "a-1", "amount": amount}
        value = json.dumps(data).encode()
        asyncio.run(self.topics.put(TOPIC, b"a-1", value, headers(id)))


async def deposits(container: Container) -> list[str]:
    read = container.event_store().read("account-a-1")
    events = [recorded.event async for recorded in read]
    return [event.deposit_id for event in events if isinstance(event, Deposited)]


def has(*payments: str) -> Callable[[Container], Awaitable[bool]]:
    async def it_has(container: Container) -> bool:
        return await deposits(container) == [f"payment:{one}" for one in payments]

    return it_has


def holds(count: int) -> Callable[[Container], Awaitable[bool]]:
    async def it_does(container: Container) -> bool:
        return len((await container.parking("clearing").look()).held) == count

    return it_does


def test_the_runbook_poison_records(servers: Mapping[str, str]) -> None:
    """See what is wrong with it, replay it, then discard it: those behind it follow in order."""
    drill = Drill(servers)
    drill.pays("p-1")
    drill.pays("p-2", amount="much")
    drill.pays("p-3")
    drill.receive(holds(2))

    assert "amount: Input should be a valid integer" in drill.parked("list", "--group", "clearing")
    (found,) = drill.listed()
    assert (found["group"], found["waiting_behind"]) == ("clearing", 1)
    shown = drill.parked("show", found["event_id"])
    assert f"topic: {TOPIC}\n" in shown
    assert "ce_id: p-2" in shown
    assert '"amount": "much"' in shown

    drill.parked("replay", found["event_id"], "--by", "ada")  # it fails again
    drill.receive(tried_again)
    assert drill.listed()[0]["waiting_behind"] == 1

    drill.parked("discard", found["event_id"], "--reason", "they sent p-2 again", "--by", "ada")
    drill.receive(has("p-1", "p-3"))
    drill.receive(holds(0))
    assert "Nothing is parked" in drill.parked("list")


async def tried_again(container: Container) -> bool:
    held = (await container.parking("clearing").look()).held
    return not any(one.replay for one in held.values())
