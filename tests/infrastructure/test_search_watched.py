"""A search server that does not answer is seen."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace

from dependency_injector import providers
from prometheus_client import generate_latest

from application.ports import NotOurs, StoreUnavailable
from infrastructure import memory
from infrastructure.monitoring import alerts
from infrastructure.processes.watching import watch_apart
from infrastructure.sides import Apart, ReadSide
from tests.promql import Scrapes
from tests.sample.client import empty_bank
from tests.sample.service import SAMPLE
from tests.waiting import until_true


async def test_a_search_server_that_is_away_raises_its_alert_until_it_is_back() -> None:
    """Whichever check of it fails, and not before nor afterwards."""
    faults = list[Exception]()

    async def check() -> None:
        for fault in faults:
            raise fault

    container, builds = empty_bank(), memory.Builds()
    side = ReadSide(memory.ReadModels([], builds), builds, builds.checkpoints, memory.Leases())
    apart = Apart(checks={"search server": check})
    container.read_side.override(providers.Object(replace(side, apart=apart)))
    (hindered,) = (alert for alert in alerts(SAMPLE) if alert.name == "SearchHindered")

    async def fires() -> bool:
        shown = generate_latest(container.metrics().registry).decode()
        return bool(Scrapes(shown, shown).finds(hindered.expression))

    task = asyncio.create_task(watch_apart(container, every=0.01))
    try:
        assert not await fires()
        for fault in (StoreUnavailable("away"), NotOurs("another service's")):
            faults[:] = [fault]
            await until_true(fires)
        faults.clear()
        await until_true(lambda: _not(fires()))
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _not(answer: Awaitable[bool]) -> bool:
    return not await answer
