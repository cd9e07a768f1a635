"""What a step may be: it acts, side by side or in order, or it checks, or it waits."""

from dataclasses import replace
from typing import Any

import pytest

from application.sagas.outcomes import Faulted, Refused
from application.sagas.saga import Step
from application.sagas.state import SagaStatus
from tests.application.sagas.small_saga import APPROVED, CHECK, GO, OPEN, Small, asks, saga
from tests.sample.transfers import CompleteTransfer, TransferRequested


async def test_a_check_that_holds_leaves_nothing() -> None:
    """The saga goes on, and the stream that was read has no event more."""
    small = Small(saga(OPEN, APPROVED, CHECK, GO))
    await small.request()
    await small.approve()
    await small.dispatch(CompleteTransfer())
    before = len(small.recorded("transfer-1"))
    await small.run()

    assert (await small.state()).status is SagaStatus.COMPLETED
    assert small.performed == [["open"], ["go"]]
    assert len(small.recorded("transfer-1")) == before


async def test_a_check_that_does_not_hold_is_a_refusal() -> None:
    """The reason names the fact; what was done before is undone, and the check is not."""
    small = Small(saga(OPEN, replace(CHECK, undo=asks("uncheck")), GO))
    await small.request()
    await small.run()

    state = await small.state()
    assert (state.status, state.reason) == (
        SagaStatus.COMPENSATED,
        "check: NotCompleted: it is requested",
    )
    assert small.performed == [["open"], ["close"]]


async def test_a_check_of_a_stream_that_cannot_be_used_is_a_refusal() -> None:
    """A stream with a hole is never judged."""
    small = Small(saga(OPEN, CHECK, GO))
    await small.request()
    requested = small.recorded("transfer-1")[0]
    small.store.delete("transfer-1")
    await small.engine.handle(requested)

    assert "transfer-1 was deleted" in (await small.state()).reason


TWO = Step[Any]("two", asks("left", "right"), asks("back left", "back right"))


async def test_actions_are_performed_side_by_side() -> None:
    """They are handed to the performer together, unless the step says otherwise."""
    small = Small(saga(TWO))
    await small.request()
    await small.run()

    assert small.performed == [["left", "right"]]


async def test_actions_are_performed_in_order() -> None:
    """One after the other; what undoes them as well."""
    small = Small(saga(replace(TWO, in_order=True), GO))
    small.outcomes["go"] = Refused("closed")
    await small.request()
    await small.run()

    assert small.performed == [["left"], ["right"], ["go"], ["back left"], ["back right"]]


@pytest.mark.parametrize(("refused", "undone"), [("left", False), ("right", True)])
async def test_the_first_refusal_in_order_ends_a_step(refused: str, undone: bool) -> None:
    """What comes after it is not tried; the step is undone only where something came before."""
    small = Small(saga(replace(TWO, in_order=True)))
    small.outcomes[refused] = Refused("closed")
    await small.request()
    await small.run()

    assert (["right"] in small.performed) is undone
    assert (["back left"] in small.performed) is undone
    assert (await small.state()).status is SagaStatus.COMPENSATED


async def test_a_fault_in_order_is_retried_from_the_first_on() -> None:
    """What was performed is performed again, which is safe."""
    small = Small(saga(replace(TWO, in_order=True)))
    small.outcomes["right"] = Faulted("no answer")
    await small.request()
    await small.run()
    assert (await small.state()).attempts == 1
    del small.outcomes["right"]
    await small.run(days=1)
    await small.run()

    assert small.performed == [["left"], ["right"], ["left"], ["right"]]


def test_a_step_does_one_thing() -> None:
    """One that acts and waits is refused, by its name."""
    with pytest.raises(ValueError, match="'await approval' acts, checks or waits"):
        replace(APPROVED, act=asks("approve"))


def test_a_saga_with_two_steps_of_one_name_is_refused() -> None:
    """By name the steps are told apart, in the saga's stream, too."""
    with pytest.raises(ValueError, match="two steps named open"):
        saga(OPEN, OPEN)


def test_the_point_of_no_return_is_a_step() -> None:
    """Another name is refused, with those that there are."""
    with pytest.raises(ValueError, match="'gone', which is not a step: name one of open, go"):
        saga(OPEN, GO, no_return="gone")


def test_a_saga_does_not_wait_for_what_starts_it() -> None:
    """Such an event would be two things at once."""
    assert APPROVED.waits
    wait = replace(APPROVED.waits, event=TransferRequested)
    with pytest.raises(ValueError, match="waits for TransferRequested, which starts or cancels it"):
        saga(OPEN, replace(APPROVED, waits=wait))
