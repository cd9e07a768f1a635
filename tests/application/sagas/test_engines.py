"""Several engines at once, and one that does not know everything."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from application.ports import StoreUnavailable
from application.retrying import NotHere
from application.sagas.state import SagaStatus
from infrastructure.providers.simulated import Fault
from tests.sample.money_transfer import money_transfer
from tests.sample.transfers import CancelTransfer, RemindOfTransfer, TransferReminded
from tests.sample.world import Bank
from tests.waiting import until


async def test_engines_that_meet_advance_a_saga_once() -> None:
    """Of engines that are handed the same event at once, each step is recorded by one."""
    world = Bank()
    engines = [world.engine]
    for _ in range(3):
        world.start()
        engines.append(world.engine)
    await world.deposit(a=5)
    await world.request(amount=2)
    (requested,) = world.recorded("transfer-t-1")

    await asyncio.gather(*(engine.handle(requested) for engine in engines))

    await world.adds_up()
    completed = [line for line in world.history() if line.startswith("Completed")]
    assert len(completed) == len(set(completed)) == 5


async def test_an_event_that_is_handled_again_changes_nothing() -> None:
    """At least once is enough: what has been seen to is not done again."""
    world = Bank()
    await world.deposit(a=5)
    await world.request(amount=2)
    await world.settle()
    before = world.store.last_position

    for recorded in world.store.after(-1, 1000):
        if recorded in world.engine.events:
            await world.engine.handle(recorded)

    assert world.store.last_position == before


async def test_a_cancellation_that_comes_before_the_request() -> None:
    """Handed out in the wrong order, a cancelled transfer is still not made."""
    world = Bank()
    await world.deposit(a=5)
    await world.request(amount=2)
    await world.tell("t-1", CancelTransfer(reason="a mistake"))
    requested, cancelled = world.recorded("transfer-t-1")

    await world.engine.handle(cancelled)
    await world.engine.handle(requested)

    await world.adds_up()
    assert world.saga().status is SagaStatus.COMPENSATED
    assert [of.type for of in world.recorded("account-a")] == ["Deposited"]


async def test_what_comes_too_late_is_undone() -> None:
    """An engine that was frozen in the midst of a step leaves nothing behind when it wakes up."""
    world = Bank()
    await world.deposit(a=5)
    await world.request(amount=2)
    requested, thawed = world.recorded("transfer-t-1")[0], asyncio.Event()
    world.moments.happens = {5: thawed.wait}  # it is about to hold
    frozen = asyncio.create_task(world.engine.handle(requested))
    await until(lambda: world.moments.passed == 5)

    world.start()  # another engine
    world.now += timedelta(minutes=10)
    await world.engine.handle(requested)
    assert world.saga().status is SagaStatus.COMPENSATED
    thawed.set()
    await frozen

    await world.adds_up()
    assert [of.type for of in world.recorded("account-a")][1:] == ["Held", "Released"]


async def test_what_a_saga_causes_names_it_and_its_cause() -> None:
    """Every event of a transfer carries the saga's id, one correlation, and its cause's id."""
    world = Bank()
    await world.deposit(a=5)
    await world.request(amount=2)
    await world.settle()
    (requested, completed), saga = (
        world.recorded("transfer-t-1"),
        world.recorded("money_transfer-t-1"),
    )
    begun = {of.event.step: of for of in saga if of.type == "StepBegun"}  # type: ignore[attr-defined]  # it has one

    assert saga[0].metadata.causation_id == str(requested.id)
    for stream, step in (("account-a", "hold amount"), ("account-b", "move amount")):
        last = next(of for of in world.recorded(stream) if of.metadata.saga_id)
        assert last.metadata.saga_id == "money_transfer-t-1"
        assert last.metadata.causation_id == str(begun[step].id)
        assert last.metadata.correlation_id == requested.metadata.correlation_id
    assert completed.metadata.causation_id == str(begun["complete transfer"].id)


async def test_a_store_that_is_away_delays_a_step() -> None:
    """A fault of the infrastructure is no refusal: the step is tried again, and succeeds."""
    world = Bank()
    await world.deposit(a=5)
    await world.request(amount=2)
    calls = 0

    async def away() -> None:
        nonlocal calls
        calls += 1
        raise StoreUnavailable("away for a moment")

    world.moments.happens = {5: away}  # the hold's reading of the account
    await world.settle()
    await world.adds_up()

    assert calls == 1
    assert world.history()[:3] == [
        "Completed request transfer",
        "Delayed hold amount",
        "Completed hold amount",
    ]


async def test_a_running_saga_keeps_the_definition_it_began_with() -> None:
    """A new version is for new sagas: one that is under way goes on under the old one."""
    world = Bank(Fault(kind="unavailable", call="redeem", times=1))
    await world.deposit(a=5)
    await world.request("t-1", 1)
    await world.engine.handle(world.recorded("transfer-t-1")[0])
    first = money_transfer
    request, hold, pay, *rest = first.steps
    eager = (request, pay, hold, *rest)  # the fee before the amount
    world.versions = (first, replace(first, version=2, steps=eager))
    world.start()
    await world.request("t-2", 1)

    await world.settle()
    await world.adds_up()

    done = {id: [line for line in world.history(id) if "Completed" in line] for id in _TWO}
    assert (world.saga("t-1").version, done["t-1"][1]) == (1, "Completed hold amount")
    assert (world.saga("t-2").version, done["t-2"][1]) == (2, "Completed pay fee")


async def test_a_running_saga_is_cancelled_by_the_event_that_its_version_names() -> None:
    """Another version may be cancelled by another event: that one does not cancel this saga."""
    world = Bank(Fault(kind="unavailable", call="redeem", times=1))
    await world.deposit(a=5)
    await world.request("t-1", amount=1)
    await world.engine.handle(world.recorded("transfer-t-1")[0])
    newer = replace(money_transfer, version=2, cancels=TransferReminded)
    world.versions = (money_transfer, newer)
    world.start()
    await world.tell("t-1", RemindOfTransfer(reminder_id="r"))
    await world.engine.handle(world.recorded("transfer-t-1")[-1])
    assert world.saga("t-1").status is SagaStatus.RUNNING

    await world.tell("t-1", CancelTransfer(reason="changed my mind"))
    await world.engine.handle(world.recorded("transfer-t-1")[-1])
    assert world.saga("t-1").status is SagaStatus.COMPENSATED


async def test_a_saga_of_a_newer_release_is_left_to_it() -> None:
    """A process that does not know a saga's definition runs no step of it, and says why."""
    world = Bank()
    first = money_transfer
    world.versions = (first, replace(first, version=2))
    world.start()
    await world.deposit(a=5)
    await world.request(amount=1)
    await world.engine.handle(world.recorded("transfer-t-1")[0])
    world.versions = (first,)
    world.start()

    with pytest.raises(NotHere, match="newer release"):
        await world.engine.handle(world.recorded("transfer-t-1")[-1])


_TWO = ("t-1", "t-2")
