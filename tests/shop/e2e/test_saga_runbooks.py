"""The runbooks of sagas, drilled: the very commands that stand there, over real servers."""

import asyncio
import json
import re
import shlex
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from uuid import uuid4

import pytest

from application.messages import Context
from application.sagas import queries as saga_queries
from application.sagas.lookup import SagaName
from application.sagas.operating import CompensateSaga, SagaCommand
from application.shop.sagas.order_fulfilment import order_fulfilment
from application.shop.service import SHOP
from domain.decider import Command
from domain.orders import CancelOrder, PlaceOrder, ShipOrder
from domain.stock import ReceiveStock
from infrastructure.connecting import opened
from infrastructure.container import Container, wired
from infrastructure.processes.catching_up import caught_up
from infrastructure.processes.service import projecting
from infrastructure.providers.simulated import Fault, Faults
from infrastructure.shop.program import PROGRAM
from tests.shop.e2e.cli import PATIENCE, cli, refusal
from tests.shop.infrastructure.fulfilling import fulfilling
from tests.shop.stores import settings_of
from tests.stores import on_another_store, on_one_store
from tests.waiting import until_true

RUNBOOKS = Path(__file__).parents[3] / "docs" / "operations" / "runbooks.md"


def commands_of(runbook: str) -> set[str]:
    """What the section with this heading has somebody type."""
    section = RUNBOOKS.read_text().split(f"## {runbook}\n")[1].split("\n## ")[0]
    return set(re.findall(r"`headwater ([^`]+)`", section))


@dataclass
class Drill:
    """A service whose orders are fulfilled as far as its faults let them, and its operator."""

    container: Container
    faults: Faults
    home: Path
    typed: set[str] = field(default_factory=set)

    async def tell(self, id: str, command: Command) -> None:
        context = Context.start("a customer", uuid4(), datetime.now(UTC))
        of = order_fulfilment.category if isinstance(command, SagaCommand) else None
        await self.container.dispatch()(id, command, context, category=of)

    async def place(self, id: str) -> None:
        line = {"sku": "ROSE", "quantity": 1, "unit_price": "3 GBP"}
        await self.tell(id, PlaceOrder.model_validate({"lines": [line]}))

    async def comes_to(self, id: str, status: str, *, stuck: bool = False) -> None:
        """Wait until the read model says so of this order's saga."""

        async def there() -> bool:
            views = await self.container.read_models().live(SHOP.standings)
            saga = await saga_queries.saga(views, SagaName(order_fulfilment.name, id))
            return saga is not None and saga.status == status and saga.stuck is stuck

        await until_true(there)

    async def types(self, command: str, id: str = "", reason: str = "") -> str:
        """What a command of the runbook says, with this id and reason."""
        ended = await self._run(command, id, reason)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    async def is_refused(self, command: str, id: str = "", reason: str = "", code: int = 1) -> str:
        """The line in which it says why not."""
        return refusal(await self._run(command, id, reason), code)

    async def _run(self, command: str, id: str, reason: str) -> CompletedProcess[str]:
        self.typed.add(command)
        await caught_up(self.container, patience=PATIENCE)
        settings = self.container.settings()
        words = [word.replace("…", reason) for word in shlex.split(re.sub(r"\bID\b", id, command))]
        run = partial(
            cli,
            HEADWATER_EVENT_STORE=settings.event_store,
            HEADWATER_EVENTSTOREDB_URI=settings.eventstoredb_uri or "",  # only: eventstoredb
            HEADWATER_POSTGRES_URI=str(settings.postgres_uri),  # only: postgres
            LOGNAME="ada",
        )
        return await asyncio.to_thread(run, self.home, *words)


@pytest.fixture
async def drill(servers: Mapping[str, str], tmp_path: Path) -> AsyncIterator[Drill]:
    container = wired(PROGRAM, settings_of(servers, home=tmp_path))
    faults = Faults()
    async with opened(container, "read_side", "event_side"):
        await container.builds().register(container.projections())
        async with projecting(container), fulfilling(container, faults):
            await caught_up(container)
            drill = Drill(container, faults, tmp_path)
            await drill.tell("ROSE", ReceiveStock(receipt_id="r-1", quantity=100))
            yield drill


LIST, SHOW = "sagas list", "sagas show ID"
RETRY, COMPENSATE, RESOLVE = (
    f'sagas {wish} ID --reason "…"' for wish in ("retry", "compensate", "resolve")
)


async def test_stuck_saga(drill: Drill) -> None:
    """A stuck saga is found and explained, retried when its cause is mended, or undone."""
    drill.faults.set([Fault(kind="unavailable", call="authorise")])
    for id in ("o-1", "o-2"):
        await drill.place(id)
        await drill.comes_to(id, "running", stuck=True)

    listed = await drill.types("sagas list --status stuck")
    assert re.search(
        r"^order_fulfilment-o-1 +running, stuck +authorise payment +\d+ ", listed, re.M
    )
    both = "order_fulfilment-o-2, order_fulfilment-o-1"
    assert f"ProviderUnavailable: the provider is out of order\n  {both}\n" in listed
    assert "no overdue sagas" in await drill.types("sagas list --status overdue")
    shown = await drill.types(SHOW, "o-1")
    assert re.search(r"✓  reserve stock +completed", shown)
    assert re.search(r"…  authorise payment +under way +\d+ failed", shown)
    assert 'headwater sagas retry order_fulfilment-o-1 --reason "…"' in shown

    assert "undo all" in await drill.types(COMPENSATE, "o-2", "they want it today")
    await drill.comes_to("o-2", "compensated")
    assert "nothing was recorded" in await drill.types(COMPENSATE, "o-2", "again")
    told = await drill.types(SHOW, "o-2")
    assert re.search(r"»  ada: compensate\n +they want it today\n", told)
    assert re.search(r"↶  undo reserve stock +undone", told)

    assert "try again" in await drill.types(RETRY, "o-1", "the provider is said to be back")
    drill.faults.set([])
    await drill.comes_to("o-1", "completed")
    assert "it has ended" in await drill.is_refused(RETRY, "o-1", "once more")
    assert drill.typed == commands_of("Stuck saga")


@on_one_store()
async def test_failed_compensation(drill: Drill) -> None:
    """What cannot be undone is found; it goes on when it can, or is closed by a person."""
    for id in ("o-1", "o-2"):
        await drill.place(id)
        await drill.comes_to(id, "completed")
    drill.faults.set([Fault(kind="unavailable", call="cancel")])
    await drill.tell("o-1", CancelOrder(reason="too late"))
    await drill.comes_to("o-1", "compensating", stuck=True)
    await drill.tell("o-2", ShipOrder(shipment_id="o-2"))
    await drill.tell("o-2", CompensateSaga(by="bob", reason="a mistake"))
    await drill.comes_to("o-2", "failed")

    listed = await drill.types(LIST)
    assert re.search(
        r"^order_fulfilment-o-1 +compensating, stuck +book shipment +\d+ ", listed, re.M
    )
    assert re.search(
        r"^order_fulfilment-o-2 +failed +confirm order .* a person must act$", listed, re.M
    )
    assert "undo book shipment" in await drill.types(SHOW, "o-1")
    assert "PaymentCaptured" in await drill.types("stream payment-ID", "o-2")
    assert "ShipmentBooked" in await drill.types("stream shipment-ID", "o-2")

    assert "retry or compensate it" in await drill.is_refused(RESOLVE, "o-1", "why not")
    assert "try again" in await drill.types(RETRY, "o-1", "the carrier is said to be back")
    drill.faults.set([])
    await drill.comes_to("o-1", "compensated")
    await drill.types(RESOLVE, "o-2", "refunded by bank transfer")
    await drill.comes_to("o-2", "resolved")
    assert "closed before" in await drill.types(RESOLVE, "o-2", "again")
    assert re.search(r"»  ada: resolve\n +refunded by bank", await drill.types(SHOW, "o-2"))
    assert "no open sagas" in await drill.types(LIST)
    assert drill.typed == commands_of("Failed compensation")


@on_another_store()
async def test_what_is_told_to_programs(drill: Drill) -> None:
    """JSON has what the tables have; an unknown saga and a senseless word are told in a line."""
    for id in ("o-1", "o-2"):
        await drill.place(id)
        await drill.comes_to(id, "completed")

    page = json.loads(await drill.types("sagas list --status all --limit 1 --json"))
    after = "sagas list --status all --after ID --json"
    rest, told, unknown, senseless = await asyncio.gather(
        drill.types(after, page["after"]),
        drill.types("sagas show ID --json", "o-1"),
        drill.is_refused(SHOW, "nobody"),
        drill.is_refused("sagas list --status lost", code=2),
    )

    listed = json.loads(rest)
    assert [saga["saga_id"] for saga in page["sagas"] + listed["sagas"]] == ["o-2", "o-1"]
    assert (listed["after"], listed["sagas"][0]["status"]) == (None, "completed")
    assert [entry["outcome"] for entry in json.loads(told)["timeline"]] == ["completed"] * 6
    assert "there is no saga nobody" in unknown
    assert "no sagas 'lost', but open, waiting" in senseless
