"""Steps that wait for a moment or for an event: early, late, twice, never."""

from datetime import timedelta

import pytest

from application.sagas.deadlines import Deadlines
from application.sagas.engine import SagaEngine
from application.sagas.events import SagaRetried, SagaWoken
from application.sagas.moments import UNSEEN
from application.sagas.outcomes import StepOutcome
from application.sagas.state import SagaStatus
from application.sagas.stream import SagaStream
from infrastructure import memory
from tests.application.sagas.small_saga import APPROVED, DAY, GO, NAME, OPEN, PAUSE, Small, saga
from tests.application.sagas.world import Killed
from tests.sample.service import SAMPLE
from tests.sample.transfers import CancelTransfer


async def requested(*steps: object, no_return: str | None = None) -> Small:
    small = Small(saga(*steps, no_return=no_return))  # type: ignore[arg-type]  # they are steps
    await small.request()
    return small


async def test_a_saga_waits_for_an_event() -> None:
    """It performs nothing before the event has come, and goes on when it has."""
    small = await requested(OPEN, APPROVED, GO)
    await small.run(days=2)
    assert (await small.state()).waiting
    assert small.performed == [["open"]]

    await small.approve()
    await small.run()

    assert small.performed == [["open"], ["go"]]
    assert small.history() == [
        "SagaStarted",
        "StepBegun open",
        "StepCompleted open",
        "WaitBegun await approval",
        "EventArrived await approval",
        "StepCompleted await approval",
        "StepBegun go",
        "StepCompleted go",
        "SagaCompleted",
    ]


async def test_an_event_that_comes_before_its_step_counts() -> None:
    """Handed out before the event that starts the saga, it starts it and is kept."""
    small = await requested(OPEN, APPROVED, GO)
    await small.approve()
    first, approved = small.recorded("transfer-1")

    await small.engine.handle(approved)
    await small.engine.handle(first)

    assert (await small.state()).status is SagaStatus.COMPLETED
    assert small.performed == [["open"], ["go"]]


async def test_an_event_counts_once() -> None:
    """Two steps that wait for events of one type need two of them."""
    again = APPROVED.__class__("await it again", waits=APPROVED.waits)
    small = await requested(OPEN, APPROVED, again, GO)
    await small.approve()
    await small.run()

    state = await small.state()
    assert state.under_way == "await it again"
    assert state.waiting


async def test_a_moment_that_comes_before_the_event_turns_the_saga_back() -> None:
    """What was done before is undone. The wait is not: nothing has come."""
    small = await requested(OPEN, APPROVED, GO)
    await small.run()
    await small.run(days=2.9)
    assert (await small.state()).waiting

    await small.run(days=0.2)
    await small.run()

    state = await small.state()
    assert state.status is SagaStatus.COMPENSATED
    assert state.reason == "await approval: no TransferApproved by 2026-01-04 00:00:00Z"
    assert small.performed == [["open"], ["close"]]
    assert small.history().count("WaitExpired await approval") == 1


async def test_an_event_that_comes_too_late_is_undone() -> None:
    """The saga has turned back already, or has gone back: what has come is undone as well."""
    small = await requested(OPEN, APPROVED, GO)
    await small.run()
    await small.run(days=4)
    await small.run()
    assert (await small.state()).status is SagaStatus.COMPENSATED

    await small.approve()
    await small.run()

    assert (await small.state()).status is SagaStatus.COMPENSATED
    assert small.performed == [["open"], ["close"], ["call back"]]


async def test_a_wait_that_is_cut_off_is_undone_only_where_its_event_has_come() -> None:
    """Cancelled while it waits, the saga undoes what it has done and no more."""
    small = await requested(OPEN, APPROVED, GO)
    await small.run()
    await small.dispatch(CancelTransfer(reason="changed my mind"))
    await small.run()

    assert (await small.state()).status is SagaStatus.COMPENSATED
    assert small.performed == [["open"], ["close"]]


async def test_a_saga_waits_for_a_moment() -> None:
    """Then it goes on, once, and not before."""
    small = await requested(OPEN, PAUSE, GO)
    await small.run()
    await small.run(days=0.9)
    assert small.performed == [["open"]]

    await small.run(days=0.2)
    await small.run()

    assert small.performed == [["open"], ["go"]]
    assert (await small.state()).status is SagaStatus.COMPLETED


async def test_a_moment_outlives_the_process() -> None:
    """Another process learns the moment from the log, and wakes the saga at it, not earlier."""
    small = await requested(OPEN, PAUSE, GO)
    await small.run()

    later = Deadlines(NAME, small.store, memory.Subscriptions(small.store), now=lambda: small.now)
    for recorded in small.recorded(f"{NAME}-1"):
        if recorded in later.events:
            later.learn(recorded)

    assert later.moments == {"1": small.now + DAY}


async def test_a_saga_that_is_lost_after_its_wait_is_looked_at_within_minutes() -> None:
    """Its event has come, and then nobody heard of it again: not only when the wait would end."""
    small = await requested(OPEN, APPROVED, GO)
    await small.run()
    await small.approve()

    async def lost(*_: object) -> StepOutcome:
        raise Killed

    own = SAMPLE.catalogue.own
    engine = SagaEngine([small.definition], own, small.store, lost, now=lambda: small.now)
    with pytest.raises(Killed):
        await engine.handle(small.recorded("transfer-1")[-1])
    small.handed_out()
    await small.run()
    assert (await small.state()).under_way == "go"

    await small.run(days=UNSEEN / DAY)
    assert (await small.state()).under_way is None


async def test_the_moment_of_one_clock_counts_for_all() -> None:
    """A process whose clock is ahead has woken the saga: one that is behind does not wait again."""
    small = await requested(OPEN, PAUSE, GO)
    await small.run()
    stream = await SagaStream(small.store, NAME, "1").read()
    assert stream.state.due is not None
    await stream.append([SagaWoken(due=stream.state.due)], small.now + DAY)

    await small.run(days=0.5)

    assert (await small.state()).status is SagaStatus.COMPLETED


async def test_beyond_the_point_of_no_return_a_wait_fails_and_is_begun_anew() -> None:
    """Nothing turns back: a person must act. A retry waits as long again."""
    small = await requested(OPEN, APPROVED, GO, no_return="open")
    await small.run()
    await small.run(days=4)
    await small.run()
    assert (await small.state()).status is SagaStatus.FAILED
    assert small.performed == [["open"]]

    stream = await SagaStream(small.store, NAME, "1").read()
    await stream.append([SagaRetried(by="ada", reason="the bank was on strike")], small.now)
    await small.run()
    state = await small.state()
    assert (state.waiting, state.deadline) == (True, small.now + 3 * DAY)
    await small.approve()
    await small.run()

    assert (await small.state()).status is SagaStatus.COMPLETED


async def test_time_spent_waiting_is_not_time_at_work() -> None:
    """The age that is observed at the end leaves out the days in which the saga waited."""
    small = await requested(OPEN, APPROVED, GO)
    await small.run()
    await small.run(days=2)
    await small.approve()
    await small.run()

    assert (await small.state()).status is SagaStatus.COMPLETED
    assert max(small.ages) == timedelta(0)
