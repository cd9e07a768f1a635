"""Backpressure: lag is bounded by the limit, and nobody is held up for nothing."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from application.backpressure import LONGEST, Backpressure, Overloaded, Pressure
from application.command_dispatch import CommandDispatch
from application.messages import Context
from application.ports import V
from application.projections.builds import WHOLE, Build, Role, Shard
from application.projections.hosting import ProjectionHost
from application.projections.lag import Lag, Lags
from application.projections.projection import Projection
from infrastructure import memory
from tests.projection_specification import START
from tests.sample.accounts import Deposit
from tests.sample.read_models.balances import balances
from tests.sample.service import SAMPLE
from tests.virtual_time import in_virtual_time

SLOW, REFUSE = 4.0, 10.0


@dataclass
class Gate:
    """Backpressure with a clock and a pause of the test's own."""

    now: float = 0.0
    paused: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.backpressure = Backpressure(
            slow=SLOW, refuse=REFUSE, clock=lambda: self.now, pause=self._pause
        )

    async def _pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def saw(self, seconds: float | None, *, name: str = "balances", **more: Any) -> None:
        """The last look at the one live build found this."""
        self.backpressure.look([lag_of(name, seconds, **more)])


def lag_of(name: str, seconds: float | None, **more: Any) -> Lag:
    of = {
        "role": Role.LIVE,
        "answers": True,
        "state": "",
        "position": 1,
        "events": None,
        "rate": 10.0,
    }
    flags = {"breached": False, "failed": False, "paused": False}
    return Lag(build=Build(name, 1), seconds=seconds, **{**of, **flags, **more})


@pytest.fixture
def gate() -> Gate:
    """One whose read model has kept up so far."""
    gate = Gate()
    gate.saw(0.0)
    return gate


async def test_below_the_first_limit_nothing_is_held_up(gate: Gate) -> None:
    """A command passes at once: it neither waits nor asks a store."""
    gate.saw(SLOW - 0.1)

    await gate.backpressure.admit()

    assert gate.paused == []


async def test_between_the_limits_a_command_waits_the_longer_the_further_behind(gate: Gate) -> None:
    """From nothing at the first limit to a second just before the other."""
    for behind in (SLOW, (SLOW + REFUSE) / 2, REFUSE - 0.001):
        gate.saw(behind)
        await gate.backpressure.admit()

    assert gate.paused == pytest.approx([0, LONGEST / 2, LONGEST], abs=0.01)


async def test_beyond_the_second_limit_a_command_is_refused(gate: Gate) -> None:
    """It names who is behind, by how much, and when to come again; it has waited for nothing."""
    gate.saw(REFUSE)

    with pytest.raises(Overloaded, match=r"balances is 10 s behind.*again in 6 s"):
        await gate.backpressure.admit()

    assert gate.paused == []


async def test_what_waits_counts_by_the_time_that_it_will_take(gate: Gate) -> None:
    """A young backlog that takes long to work off is a lag already."""
    gate.saw(0.1, events=1_000, rate=10.0)

    assert gate.backpressure.pressure is Pressure.REFUSED


async def test_unknown_counts_as_the_worst_that_it_can_be(gate: Gate) -> None:
    """What was known last, and the time since: no sudden refusal, and no lag without an end."""
    gate.saw(1.0)
    seen = []
    for gate.now in (2.0, SLOW, REFUSE):
        gate.saw(None, rate=None)
        seen.append(gate.backpressure.pressure)

    assert seen == [Pressure.NONE, Pressure.SLOWED, Pressure.REFUSED]


async def test_nobody_who_looks_is_unknown_too(gate: Gate) -> None:
    """While the store of the views does not answer, there are no looks at all."""
    gate.now = REFUSE + 1

    assert gate.backpressure.pressure is Pressure.REFUSED


async def test_a_read_model_counts_once_it_has_kept_up() -> None:
    """One that is new has years to catch up: today's commands are not the cause."""
    gate = Gate()
    for seconds, expected in [
        (None, Pressure.NONE),
        (1e8, Pressure.NONE),
        (0.0, Pressure.NONE),
        (SLOW, Pressure.SLOWED),
    ]:
        gate.saw(seconds)
        assert gate.backpressure.pressure is expected


@pytest.mark.parametrize("why", ["failed", "paused"])
async def test_one_that_waits_for_a_person_holds_up_nobody(gate: Gate, why: str) -> None:
    """Nor does it when it goes on, until it has caught up."""
    for stopped in (True, False):
        gate.backpressure.look([lag_of("balances", 1000.0, **{why: stopped})])
        assert gate.backpressure.pressure is Pressure.NONE


async def test_only_builds_that_answer_count(gate: Gate) -> None:
    """What a deploy fills beside them is behind by its nature; one that is dropped is forgotten."""
    gate.saw(1000.0, role=Role.BUILDING, answers=False)
    gate.now = REFUSE

    assert gate.backpressure.pressure is Pressure.NONE


async def test_an_import_waits_and_is_never_refused(gate: Gate) -> None:
    """As long as it is seen that the read models are behind: then it goes on."""
    gate.saw(REFUSE + 100)
    waiting = asyncio.create_task(gate.backpressure.wait())
    for _ in range(10):
        await asyncio.sleep(0)
    assert gate.paused
    assert not waiting.done()

    gate.saw(SLOW - 1)

    await waiting


async def test_an_import_does_not_wait_for_nobody(gate: Gate) -> None:
    """Where no read model is filled any more, waiting would never end."""
    gate.saw(REFUSE + 100)
    gate.saw(None, rate=None)

    await gate.backpressure.wait()

    assert gate.now <= 10


@pytest.mark.parametrize(("slow", "refuse"), [(0, 1), (5, 5), (6, 5)])
def test_limits_that_make_no_sense_are_refused(slow: float, refuse: float) -> None:
    """Slowing comes before refusing."""
    with pytest.raises(ValueError, match="slowed from"):
        Backpressure(slow=slow, refuse=refuse)


# ── a burst ──────────────────────────────────────────────────────────────────────────────────────

WRITTEN, TAKEN_IN = 50, 10  # commands a second that come, events a second that can be taken in
BURST = 30.0  # seconds


class Slow(memory.ReadModels):
    """Read models whose views take their time to be written."""

    def of(self, projection: Projection[V], build: Build, shard: Shard = WHOLE) -> memory.Views[V]:
        views = super().of(projection, build, shard)
        save = views.save

        async def slow_save(*args: Any, events: int = 0, **kwargs: Any) -> None:
            await asyncio.sleep(events / TAKEN_IN)
            await save(*args, events=events, **kwargs)

        views.save = slow_save  # type: ignore[method-assign]  # the point of it
        return views


@dataclass
class Burst:
    """What came of one: commands that were done and refused, and the greatest age of an event."""

    done: int = 0
    refused: int = 0
    worst: float = 0.0


async def burst(slow: float, refuse: float) -> Burst:
    """Five times as many commands as can be taken in, for a while; then until all is in."""
    now = asyncio.get_running_loop().time

    def clock() -> datetime:
        return START + timedelta(seconds=now())

    store, builds = memory.EventStore(SAMPLE.catalogue, clock), memory.Builds(clock)
    subscriptions, read_models = memory.Subscriptions(store), Slow([balances], builds)
    await builds.register([balances])
    host = ProjectionHost(
        [balances], subscriptions, read_models, builds, None, holder="one", clock=clock
    )
    lags = Lags([balances], builds, lambda: subscriptions, fresh_for=0, clock=now)
    backpressure = Backpressure(slow=slow, refuse=refuse, clock=now)
    dispatch, came = CommandDispatch(store, SAMPLE.catalogue), Burst()

    async def watch() -> None:
        while True:
            await asyncio.sleep(0.5)
            backpressure.look(seen := await lags.counted())
            came.worst = max(came.worst, *(lag.seconds or 0.0 for lag in seen))

    async def client(number: int) -> None:
        try:
            await backpressure.admit()
        except Overloaded:
            came.refused += 1
            return
        command = Deposit(deposit_id=f"d-{number}", amount=1)
        await dispatch(f"a-{number}", command, Context.start("a test", uuid4(), clock()))
        came.done += 1

    background = [asyncio.create_task(work) for work in (host.run(), watch())]
    await asyncio.sleep(5)  # it keeps up, with nothing
    async with asyncio.TaskGroup() as clients:
        for number in range(int(BURST * WRITTEN)):
            clients.create_task(client(number))
            await asyncio.sleep(1 / WRITTEN)
    views = await read_models.live(balances)
    while await views.checkpoint() != store.last_position:  # noqa: ASYNC110 - in virtual time
        await asyncio.sleep(1)
    for task in background:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return came


def test_a_burst_is_bounded_by_the_limit() -> None:
    """Lag stays at the limit; without the limit the same burst takes it far beyond."""
    bounded = in_virtual_time(burst(SLOW, REFUSE))
    unbounded = in_virtual_time(burst(SLOW * 1e6, REFUSE * 1e6))

    assert unbounded.refused == 0
    assert unbounded.worst > 10 * REFUSE
    assert bounded.refused > 0
    assert bounded.worst < 1.5 * REFUSE
    assert bounded.done > 0.8 * BURST * TAKEN_IN, "what can be taken in is let in"
