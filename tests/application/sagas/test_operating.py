"""What an operator may ask of a saga, and when it is refused."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest

from application.sagas.events import (
    CompensationOrdered,
    SagaCompensated,
    SagaCompleted,
    SagaEvent,
    SagaFailed,
    SagaResolved,
    SagaRetried,
    SagaStarted,
    StepBegun,
    StepDelayed,
)
from application.sagas.operating import (
    AtItsEnd,
    CompensateSaga,
    NotFailed,
    ResolveSaga,
    RetrySaga,
    UnknownSaga,
    decider,
)
from application.sagas.state import SagaStatus
from infrastructure.providers.simulated import Fault
from tests.sample.transfers import AlreadyCompleted, CancelTransfer
from tests.sample.world import Bank
from tests.specification import Specification

saga = Specification(decider)
THEN = datetime(2026, 1, 1, tzinfo=UTC)
STARTED = SagaStarted(saga="money_transfer", version=1, facts={})
BEGUN = StepBegun(step="pay fee", deadline=THEN)
DELAYED = StepDelayed(step="pay fee", error="away", again_at=THEN)
FAILED = SagaFailed(step="complete transfer", reason="no")
RETRY = RetrySaga(by="ada", reason="it is back")
COMPENSATE = CompensateSaga(by="ada", reason="too late")
RESOLVE = ResolveSaga(by="ada", reason="paid back by hand")


@pytest.mark.parametrize("history", [(STARTED, BEGUN, DELAYED), (STARTED, FAILED)])
def test_what_waits_or_failed_is_retried(history: tuple[SagaEvent, ...]) -> None:
    """An operator need not wait for the next attempt."""
    saga.given(*history).when(RETRY).then(SagaRetried(by="ada", reason="it is back"))


def test_what_goes_on_needs_no_retry() -> None:
    """A step under way that has not failed is not begun again."""
    saga.given(STARTED, BEGUN).when(RETRY).then_nothing()


@pytest.mark.parametrize("last", [SagaCompleted(), SagaCompensated()])
def test_what_has_ended_is_not_retried(last: SagaEvent) -> None:
    """A saga at its end has nothing to repeat."""
    saga.given(STARTED, last).when(RETRY).then_refused(AtItsEnd)


@pytest.mark.parametrize("last", [BEGUN, FAILED, SagaCompleted()])
def test_all_can_be_undone(last: SagaEvent) -> None:
    """Whether it is under way, has failed or is done: an operator may have it compensated."""
    ordered = CompensationOrdered(by="ada", reason="too late")
    saga.given(STARTED, last).when(COMPENSATE).then(ordered)


def test_what_is_undone_is_not_undone_again() -> None:
    """A compensated saga has nothing left."""
    saga.given(STARTED, SagaCompensated()).when(COMPENSATE).then_nothing()


def test_only_what_failed_is_resolved_by_hand() -> None:
    """A person closes what can go neither on nor back, and nothing else."""
    saga.given(STARTED, FAILED).when(RESOLVE).then(
        SagaResolved(by="ada", reason="paid back by hand")
    )
    saga.given(STARTED, BEGUN).when(RESOLVE).then_refused(NotFailed)


@pytest.mark.parametrize("wish", [RETRY, COMPENSATE, RESOLVE])
def test_there_must_be_a_saga(wish: RetrySaga | CompensateSaga | ResolveSaga) -> None:
    """Nobody operates what was never started."""
    saga.given().when(wish).then_refused(UnknownSaga)


async def test_a_compensation_that_is_refused_needs_a_person() -> None:
    """What is completed cannot be undone: the saga fails, and a person closes it."""
    world = Bank()
    await world.deposit(a=2)
    await world.request(amount=2)
    await world.settle()

    await world.tell("t-1", COMPENSATE, actor="ada")
    await world.settle()
    assert world.saga().status is SagaStatus.FAILED
    assert "AlreadyCompleted" in world.saga().reason
    await world.tell("t-1", RESOLVE, actor="ada")

    assert world.saga().status is SagaStatus.RESOLVED


async def test_a_retried_saga_goes_on_at_once() -> None:
    """What waits for its next attempt does not wait any longer once an operator says so."""
    world = Bank(Fault(kind="unavailable", call="redeem", times=1))
    await world.deposit(a=2)
    await world.request(amount=2)
    await world.engine.handle(world.recorded("transfer-t-1")[0])
    assert world.saga().asleep(world.now)

    await world.tell("t-1", RETRY, actor="ada")
    await world.engine.handle(world.recorded("money_transfer-t-1")[-1])

    await world.adds_up()
    assert world.saga().status is SagaStatus.COMPLETED


@pytest.mark.parametrize("moment", range(1, 40))
async def test_cancelled_at_any_moment(moment: int) -> None:
    """Before its point of no return all is undone; after it the cancellation is refused."""
    world = Bank()
    await world.deposit(a=2)
    await world.request(amount=2)

    async def cancelled() -> None:
        with suppress(AlreadyCompleted):
            await world.tell("t-1", CancelTransfer(reason="at the last moment"))

    world.moments.happens = {moment: cancelled}
    await world.settle()

    await world.adds_up()
    assert world.saga().status in (SagaStatus.COMPENSATED, SagaStatus.COMPLETED)
