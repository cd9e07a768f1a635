"""Backpressure: lag is bounded by the limit, and nobody is held up for nothing."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from application.backpressure import LONGEST, Backpressure, Overloaded, Pressure
from application.projections.builds import Build, Role
from application.projections.lag import Lag
from tests.projection_specification import START

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

    def after(self, seconds: float) -> "Gate":
        """Let this time pass."""
        self.now += seconds
        return self

    async def _pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def saw(self, seconds: float | None, *, name: str = "balances", **more: Any) -> None:
        """The last look at the one live build found this."""
        seen_at = START + timedelta(seconds=self.now)
        self.backpressure.look([lag_of(name, seconds, **{"seen_at": seen_at, **more})])


def lag_of(name: str, seconds: float | None, **more: Any) -> Lag:
    of = {
        "role": Role.LIVE,
        "answers": True,
        "state": "",
        "position": 1,
        "events": None,
        "rate": 10.0,
    }
    flags = {"breached": False, "failed": False, "paused": False, "taken_in": 0, "seen_at": START}
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

    with pytest.raises(Overloaded, match=r"balances is 10 s behind.*again in 3 s"):
        await gate.backpressure.admit()

    assert gate.paused == []


async def test_what_waits_counts_by_the_time_that_it_will_take(gate: Gate) -> None:
    """A young backlog is a lag already, once the pace at which it is taken in was measured."""
    gate.after(3.0).saw(2.8, events=1_000, taken_in=30)

    with pytest.raises(Overloaded, match=r"balances needs 14 s for the 1,000 events it misses"):
        await gate.backpressure.admit()


async def test_a_pace_is_not_measured_while_events_are_awaited(gate: Gate) -> None:
    """Few events in a long time show nothing when none was missing for most of it."""
    gate.after(60.0).saw(2.8, events=1_000, taken_in=30)

    assert gate.backpressure.pressure is Pressure.NONE


async def test_an_unknown_time_does_not_belong_to_a_pace(gate: Gate) -> None:
    """A process that was started anew takes in nothing while it starts."""
    gate.after(3.0).saw(None)
    gate.after(3.0).saw(1.8, events=1_000, taken_in=30)

    assert gate.backpressure.pressure is Pressure.NONE


async def test_what_is_refused_is_let_in_halfway_between_the_limits(gate: Gate) -> None:
    """Just below the limit it would be refused again with the next look."""
    for seconds, expected in [
        (REFUSE, Pressure.REFUSED),
        (REFUSE - 1, Pressure.REFUSED),
        ((SLOW + REFUSE) / 2 - 0.1, Pressure.SLOWED),
        (REFUSE - 1, Pressure.SLOWED),
    ]:
        gate.saw(seconds)
        assert gate.backpressure.pressure is expected


async def test_a_refusal_names_what_is_known(gate: Gate) -> None:
    """Of a read model that is not seen any more, it names what was seen, and when."""
    gate.saw(2.0)
    gate.now = REFUSE

    with pytest.raises(Overloaded, match=r"balances was last seen 10 s ago, 2 s behind"):
        await gate.backpressure.admit()


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
