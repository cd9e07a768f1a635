"""Laws of backpressure, on a queue of events that is served at a known pace."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from hypothesis import example, given
from hypothesis import strategies as st

from application.backpressure import FORESIGHT, Backpressure, Pressure
from application.projections.lag import Lag
from application.projections.status import Progressing, RunnerStatus, State
from tests.application.test_backpressure import lag_of
from tests.histories import law
from tests.projection_specification import START

SLOW, REFUSE = 10.0, 30.0  # seconds
STEP: Final = 0.1  # seconds
BATCH: Final = 1_000  # events
COUNTED: Final = 1.0  # seconds of lag, from which on a service counts the missing events


@dataclass(frozen=True)
class Part:
    """A time in which commands come evenly; each that is let in is one event."""

    seconds: float
    commands: float  # a second


@dataclass(frozen=True)
class Moment:
    """What was at one look."""

    at: float
    pressure: Pressure
    age: float | None  # as a service sees it
    needed: float  # seconds until an event that is appended now will be taken in: the truth


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now

    @property
    def time_of_day(self) -> datetime:
        return START + timedelta(seconds=self.now)


@dataclass
class Follower:
    """A read model that takes in its events in batches, and reports as a runner does."""

    clock: Clock
    pace: float  # events a second
    waiting: list[datetime] = field(default_factory=list)
    taken_in: int = 0
    _batch: int = 0
    _until: float = 0.0

    def __post_init__(self) -> None:
        self.progress = Progressing("balances", lambda: self.clock.time_of_day)
        self.progress.started(-1)
        self.progress.live()

    def step(self) -> None:
        if self._batch and self.clock.now >= self._until:
            self.taken_in += self._batch
            del self.waiting[: self._batch]
            self.progress.took_in(self._batch, self.taken_in)
            self._batch = 0
            (self.progress.behind if self.waiting else self.progress.live)()
        if self.waiting and not self._batch:
            self._batch = min(BATCH, len(self.waiting))
            self._until = self.clock.now + self._batch / self.pace
            self.progress.working_on(self.waiting[0])

    @property
    def needed(self) -> float:
        begun = self._until - self.clock.now if self._batch else 0.0
        return begun + (len(self.waiting) - self._batch) / self.pace


def history(pace: float, parts: Sequence[Part]) -> Iterator[Moment]:
    """What was at each look, once a second; the reports are half a second old at most."""
    clock, let_in = Clock(), 0.0
    follower = Follower(clock, pace)
    backpressure = Backpressure(slow=SLOW, refuse=REFUSE, clock=clock)
    report = follower.progress.status()
    steps, ends = 0, 0.0
    for part in parts:
        ends += part.seconds
        while clock.now < ends:
            if steps % 5 == 0:
                report = follower.progress.status()
            if steps % 10 == 0:
                age = _age(report, clock)
                backpressure.look([_lag(follower, report, age, clock)])
                yield Moment(clock.now, backpressure.pressure, age, follower.needed)
            if backpressure.pressure is not Pressure.REFUSED:
                let_in += part.commands * STEP
            follower.waiting += [clock.time_of_day] * int(let_in)
            let_in -= int(let_in)
            follower.step()
            steps += 1
            clock.now = steps * STEP


def _age(report: RunnerStatus, clock: Clock) -> float | None:
    if report.missing_since is not None:
        return (clock.time_of_day - report.missing_since).total_seconds()
    return 0.0 if report.state is State.LIVE else None


def _lag(follower: Follower, report: RunnerStatus, age: float | None, clock: Clock) -> Lag:
    counted = len(follower.waiting) if (age or 0.0) > COUNTED else None
    now, so_many = clock.time_of_day, follower.taken_in
    return lag_of("balances", age, events=counted, rate=report.rate, taken_in=so_many, seen_at=now)


paces = st.sampled_from([200.0, 1_000.0, 5_000.0])
loads = st.floats(0, 3)  # as many times what the read model can take in
traces = st.lists(st.tuples(st.floats(0.5, 20), loads), min_size=1, max_size=5)


def parts_of(pace: float, trace: Sequence[tuple[float, float]]) -> Sequence[Part]:
    return [Part(seconds, load * pace) for seconds, load in trace]


@law(50)
@given(paces, traces)
@example(200.0, [(12.0, 0.005), (1.3, 4.5), (10.0, 0.005)])  # a burst after idle time
@example(1_000.0, [(5.0, 0.001), (2.0, 3.0), (10.0, 0.5)])
def test_commands_are_refused_only_for_a_lag_that_is_there(
    pace: float, trace: Sequence[tuple[float, float]]
) -> None:
    """An event is missing for half the limit at least, or one that came now would be."""
    for moment in history(pace, parts_of(pace, trace)):
        if moment.pressure is Pressure.REFUSED:
            assert max(moment.needed, moment.age or 0.0) >= REFUSE / 2, moment


@law(50)
@given(paces, traces)
def test_a_service_that_was_behind_for_seconds_refuses_nothing(
    pace: float, trace: Sequence[tuple[float, float]]
) -> None:
    """An estimate counts up to some times the age, so refusals begin after a time behind."""
    before = Pressure.NONE
    for moment in history(pace, parts_of(pace, trace)):
        if moment.pressure is Pressure.REFUSED and before is not Pressure.REFUSED:
            assert (moment.age or math.inf) >= REFUSE / FORESIGHT - 1, moment
        before = moment.pressure


@law(50)
@given(paces, st.floats(1.2, FORESIGHT), st.floats(0, 30))
def test_an_overload_is_refused_before_it_takes_longer_than_the_limit(
    pace: float, load: float, idle: float
) -> None:
    """Give or take what comes in two looks and a batch, whatever the service did before."""
    trace = [(idle, 0.01), (60.0 + 40 / (load - 1), load)]
    moments = list(history(pace, parts_of(pace, trace)))

    unseen = (2 + BATCH / pace) * (load - 1)
    assert max(moment.needed for moment in moments) < REFUSE + unseen + 2
    assert any(moment.pressure is Pressure.REFUSED for moment in moments)


@law(50)
@given(paces, st.floats(1.5, FORESIGHT), st.floats(0, 0.5))
def test_the_service_does_not_change_its_mind_with_each_look(
    pace: float, load: float, after: float
) -> None:
    """Refusing begins at most once in ten looks, and nothing is slowed once all is in."""
    moments = list(history(pace, parts_of(pace, [(20 / (load - 1) + 12, load), (90, after)])))
    pressures = [moment.pressure for moment in moments]

    begun = [new for old, new in pairwise(pressures) if new is Pressure.REFUSED is not old]
    assert len(begun) <= 1 + len(moments) // 10
    assert pressures[-1] is Pressure.NONE
