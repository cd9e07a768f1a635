"""What an operator may ask of a saga, and when it is refused."""

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
from application.sagas.state import Status
from domain.orders import CancelOrder, ConfirmOrder, ShipOrder
from infrastructure.providers.simulated import Fault
from tests.shop.application.sagas.world import World
from tests.specification import Specification

saga = Specification(decider)
THEN = datetime(2026, 1, 1, tzinfo=UTC)
STARTED = SagaStarted(saga="order_fulfilment", version=1, facts={})
BEGUN = StepBegun(step="book shipment", deadline=THEN)
DELAYED = StepDelayed(step="book shipment", error="away", again_at=THEN)
FAILED = SagaFailed(step="confirm order", reason="no")
RETRY = RetrySaga(by="ada", reason="it is back")
COMPENSATE = CompensateSaga(by="ada", reason="too late")
RESOLVE = ResolveSaga(by="ada", reason="paid by transfer")


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
        SagaResolved(by="ada", reason="paid by transfer")
    )
    saga.given(STARTED, BEGUN).when(RESOLVE).then_refused(NotFailed)


@pytest.mark.parametrize("wish", [RETRY, COMPENSATE, RESOLVE])
def test_there_must_be_a_saga(wish: RetrySaga | CompensateSaga | ResolveSaga) -> None:
    """Nobody operates what was never started."""
    saga.given().when(wish).then_refused(UnknownSaga)


async def test_a_compensation_that_is_refused_needs_a_person() -> None:
    """What has left the house cannot be undone: the saga fails, and a person closes it."""
    world = World()
    await world.receive(a=2)
    await world.place(a=2)
    await world.settle()
    await world.tell("o-1", ShipOrder(shipment_id="o-1"))

    await world.tell("o-1", COMPENSATE, actor="ada")
    await world.settle()
    assert world.saga().status is Status.FAILED
    assert "AlreadyShipped" in world.saga().reason
    await world.tell("o-1", RESOLVE, actor="ada")

    assert world.saga().status is Status.RESOLVED


async def test_a_retried_saga_goes_on_at_once() -> None:
    """What waits for its next attempt does not wait any longer once an operator says so."""
    world = World(Fault(kind="unavailable", call="book", times=1))
    await world.receive(a=2)
    await world.place(a=2)
    await world.engine.handle(world.recorded("order-o-1")[0])
    assert world.saga().asleep(world.now)

    await world.tell("o-1", RETRY, actor="ada")
    await world.engine.handle(world.recorded("order_fulfilment-o-1")[-1])

    world.adds_up()
    assert world.saga().status is Status.COMPLETED


async def test_refused_beyond_the_point_of_no_return() -> None:
    """Once the money is taken nothing turns back by itself: a refusal is for a person to judge."""
    world = World()
    await world.receive(a=2)
    await world.place(a=2)

    async def cancelled() -> None:
        await world.tell("o-1", CancelOrder(reason="at the last moment"))

    world.moments.happens = {20: cancelled}
    await world.engine.handle(world.recorded("order-o-1")[0])
    if world.saga().status is Status.FAILED:
        assert "AlreadyCancelled" in world.saga().reason
    await world.settle()  # the cancellation itself is handed out, and that has all undone
    world.adds_up()
    assert world.saga().status is Status.COMPENSATED
    assert ConfirmOrder.__name__ not in world.history()
