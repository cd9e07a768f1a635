"""Backpressure over time, on a service in virtual time: commands come, and a read model follows."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from application.backpressure import Backpressure, Overloaded, Pressure
from application.command_dispatch import CommandDispatch
from application.messages import Context
from application.ports import V
from application.projections.builds import WHOLE, Build, Shard
from application.projections.hosting import ProjectionHost
from application.projections.lag import Lags
from application.projections.projection import Projection
from infrastructure import memory
from tests.projection_specification import START
from tests.sample.accounts import Deposit
from tests.sample.read_models.balances import balances
from tests.sample.service import SAMPLE
from tests.virtual_time import in_virtual_time

SLOW, REFUSE = 10.0, 30.0  # seconds: the defaults
COUNTED = 1.0  # seconds of lag; below, a service does not count the missing events


class Paced(memory.ReadModels):
    """Read models that take in so many events a second."""

    events_a_second = 25.0

    def of(self, projection: Projection[V], build: Build, shard: Shard = WHOLE) -> memory.Views[V]:
        views = super().of(projection, build, shard)
        save = views.save

        async def slow_save(*args: Any, events: int = 0, **kwargs: Any) -> None:
            await asyncio.sleep(events / self.events_a_second)
            await save(*args, events=events, **kwargs)

        views.save = slow_save  # type: ignore[method-assign]  # the point of it
        return views


@dataclass
class Seen:
    """What came of it: commands done and refused, the pressure at each look, the greatest age."""

    done: int = 0
    refused: int = 0
    pressures: list[Pressure] = field(default_factory=list)
    worst: float = 0.0


class Floor:
    """A service of which only the projections take time."""

    def __init__(self, slow: float = SLOW, refuse: float = REFUSE) -> None:
        self.now = asyncio.get_running_loop().time
        self.seen = Seen()
        store = memory.EventStore(SAMPLE.catalogue, self.clock)
        self._store, self._builds = store, memory.Builds(self.clock)
        self._log, self.views = memory.Subscriptions(store), Paced([balances], self._builds)
        self._dispatch = CommandDispatch(store, SAMPLE.catalogue)
        self._backpressure = Backpressure(slow=slow, refuse=refuse, clock=self.now)
        self._lags = Lags([balances], self._builds, lambda: self._log, fresh_for=0, clock=self.now)
        self.processes: list[asyncio.Task[None]] = []

    def clock(self) -> datetime:
        return START + timedelta(seconds=self.now())

    def start_process(self) -> None:
        """One that fills the read model, until it is cancelled."""
        host = ProjectionHost(
            [balances], self._log, self.views, self._builds, None,
            holder=f"process {len(self.processes)}", clock=self.clock,
        )  # fmt: skip
        self.processes.append(asyncio.create_task(host.run()))

    async def watch(self) -> None:
        """As a service does, once a second."""
        await self._builds.register([balances])
        while True:
            await asyncio.sleep(1)
            lags = await self._lags.all()
            if any((lag.seconds or 0) > COUNTED for lag in lags):
                lags = await self._lags.counted()
            self._backpressure.look(lags)
            self.seen.pressures.append(self._backpressure.pressure)
            self.seen.worst = max(self.seen.worst, *(lag.seconds or 0.0 for lag in lags))

    async def command(self) -> None:
        """One from outside: slowed, refused or done."""
        try:
            await self._backpressure.admit()
        except Overloaded:
            self.seen.refused += 1
            return
        deposit = Deposit(deposit_id=str(uuid4()), amount=1)
        context = Context.start("a test", uuid4(), self.clock())
        await self._dispatch(str(deposit.deposit_id), deposit, context)
        self.seen.done += 1

    async def load(self, a_second: float, seconds: float) -> None:
        """Commands of clients who do not wait for an answer before they send the next."""
        async with asyncio.TaskGroup() as commands:
            for _ in range(int(a_second * seconds)):
                commands.create_task(self.command())
                await asyncio.sleep(1 / a_second)

    async def clients(self, number: int, seconds: float) -> None:
        """Clients who send the next command 0.1 s after the answer."""

        async def client() -> None:
            while self.now() < end:
                await self.command()
                await asyncio.sleep(0.1)

        end = self.now() + seconds
        async with asyncio.TaskGroup() as clients:
            for _ in range(number):
                clients.create_task(client())

    async def caught_up(self) -> None:
        views = await self.views.live(balances)
        while await views.checkpoint() != self._store.last_position:  # noqa: ASYNC110 - virtual
            await asyncio.sleep(1)


def run(story: Callable[[Floor], Awaitable[None]], **limits: float) -> Seen:
    """What came of it, once everything is in the read model."""

    async def whole() -> Seen:
        floor = Floor(**limits)
        watching = asyncio.create_task(floor.watch())
        await asyncio.sleep(0)
        floor.start_process()
        await story(floor)
        await floor.caught_up()
        for task in (watching, *floor.processes):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        return floor.seen

    return in_virtual_time(whole())


def test_eight_clients_on_a_fresh_service_are_never_refused() -> None:
    """Nor slowed: they send as much as the read model can take in, from the first second on."""

    async def story(floor: Floor) -> None:
        floor.views.events_a_second = 100.0
        await floor.clients(8, seconds=20)

    seen = run(story)

    assert seen.done > 1_000
    assert set(seen.pressures) == {Pressure.NONE}


def test_a_burst_after_idle_time_is_let_in() -> None:
    """Six seconds of work come in one: that the read model had little to do says nothing of it."""

    async def story(floor: Floor) -> None:
        floor.views.events_a_second = 150.0
        await floor.load(1.0, seconds=12)
        await floor.load(600, seconds=1.5)
        await floor.load(1.0, seconds=12)

    seen = run(story)

    assert seen.worst > COUNTED
    assert set(seen.pressures) == {Pressure.NONE}


def test_an_overload_is_bounded_by_the_limit() -> None:
    """What the read model can take in is let in; without the limit, there is no bound."""

    async def story(floor: Floor) -> None:
        await floor.load(5 * floor.views.events_a_second, seconds=30)

    bounded, unbounded = run(story), run(story, slow=1e6, refuse=1e7)

    assert bounded.worst < 1.5 * REFUSE, "half of it: a batch takes so long here"
    assert bounded.refused > 0
    assert bounded.done > 0.8 * 30 * Paced.events_a_second
    assert unbounded.refused == 0
    assert unbounded.worst > 2.5 * REFUSE


@pytest.mark.parametrize("away", [1.0, 4.0, 8.0])
def test_a_process_that_is_started_anew_makes_no_command_wait(away: float) -> None:
    """A deploy leaves the read model without a process for some seconds."""

    async def story(floor: Floor) -> None:
        floor.views.events_a_second = 100.0
        await floor.load(20, seconds=10)
        floor.processes[0].cancel()
        await floor.load(20, seconds=away)
        floor.start_process()
        await floor.load(20, seconds=10)

    seen = run(story)

    assert set(seen.pressures) == {Pressure.NONE}
