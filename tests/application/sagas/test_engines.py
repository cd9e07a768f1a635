"""Several engines at once, and one that does not know everything."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from application.consuming import NotHere
from application.ports import StoreUnavailable
from application.sagas.state import Status
from application.shop.sagas.order_fulfilment import order_fulfilment
from domain.orders import CancelOrder
from infrastructure.providers.simulated import Fault
from tests.shop.application.sagas.world import World
from tests.waiting import until


async def test_engines_that_meet_advance_a_saga_once() -> None:
    """Of engines that are handed the same event at once, each step is recorded by one."""
    world = World()
    engines = [world.engine]
    for _ in range(3):
        world.start()
        engines.append(world.engine)
    await world.receive(a=5)
    await world.place(a=2)
    (placed,) = world.recorded("order-o-1")

    await asyncio.gather(*(engine.handle(placed) for engine in engines))

    world.adds_up()
    completed = [line for line in world.history() if line.startswith("Completed")]
    assert len(completed) == len(set(completed)) == 6


async def test_an_event_that_is_handled_again_changes_nothing() -> None:
    """At least once is enough: what has been seen to is not done again."""
    world = World()
    await world.receive(a=5)
    await world.place(a=2)
    await world.settle()
    before = world.store.last_position

    for recorded in world.store.after(-1, 1000):
        if recorded in world.engine.events:
            await world.engine.handle(recorded)

    assert world.store.last_position == before


async def test_a_cancellation_that_comes_before_the_order() -> None:
    """Handed out in the wrong order, a cancelled order is still not fulfilled."""
    world = World()
    await world.receive(a=5)
    await world.place(a=2)
    await world.tell("o-1", CancelOrder(reason="a mistake"))
    placed, cancelled = world.recorded("order-o-1")

    await world.engine.handle(cancelled)
    await world.engine.handle(placed)

    world.adds_up()
    assert world.saga().status is Status.COMPENSATED
    assert not world.recorded("payment-o-1")


async def test_what_comes_too_late_is_undone() -> None:
    """An engine that was frozen in the midst of a step leaves nothing behind when it wakes up."""
    world = World()
    await world.receive(a=5)
    await world.place(a=2)
    placed, thawed = world.recorded("order-o-1")[0], asyncio.Event()
    world.moments.happens = {5: thawed.wait}  # it is about to reserve
    frozen = asyncio.create_task(world.engine.handle(placed))
    await until(lambda: world.moments.passed == 5)

    world.start()  # another engine
    world.now += timedelta(minutes=10)
    await world.engine.handle(placed)
    assert world.saga().status is Status.COMPENSATED
    thawed.set()
    await frozen

    world.adds_up()
    assert [of.type for of in world.recorded("stock-a")][1:] == ["StockReserved", "StockReleased"]


async def test_what_a_saga_causes_names_it_and_its_cause() -> None:
    """Every event of a fulfilment carries the saga's id, one correlation, and its cause's id."""
    world = World()
    await world.receive(a=5)
    await world.place(a=2)
    await world.settle()
    (placed, confirmed), saga = world.recorded("order-o-1"), world.recorded("order_fulfilment-o-1")
    begun = {of.event.step: of for of in saga if of.type == "StepBegun"}  # type: ignore[attr-defined]  # it has one

    assert saga[0].metadata.causation_id == str(placed.id)
    for stream, step in (("stock-a", "reserve stock"), ("payment-o-1", "authorise payment")):
        last = next(of for of in world.recorded(stream) if of.metadata.saga_id)
        assert last.metadata.saga_id == "order_fulfilment-o-1"
        assert last.metadata.causation_id == str(begun[step].id)
        assert last.metadata.correlation_id == placed.metadata.correlation_id
    assert confirmed.metadata.causation_id == str(begun["confirm order"].id)


async def test_a_store_that_is_away_delays_a_step() -> None:
    """A fault of the infrastructure is no refusal: the step is tried again, and succeeds."""
    world = World()
    await world.receive(a=5)
    await world.place(a=2)
    calls = 0

    async def away() -> None:
        nonlocal calls
        calls += 1
        raise StoreUnavailable("away for a moment")

    world.moments.happens = {5: away}  # the reservation's reading of the stock
    await world.settle()
    world.adds_up()

    assert calls == 1
    assert world.history()[:3] == [
        "Completed place order",
        "Delayed reserve stock",
        "Completed reserve stock",
    ]


async def test_a_running_saga_keeps_the_definition_it_began_with() -> None:
    """A new version is for new sagas: one that is under way goes on under the old one."""
    world = World(Fault(kind="unavailable", call="authorise", times=1))
    await world.receive(a=5)
    await world.place("o-1", a=1)
    await world.engine.handle(world.recorded("order-o-1")[0])
    first = order_fulfilment
    place, reserve, authorise, book, capture, confirm = first.steps
    eager = (place, reserve, book, authorise, capture, confirm)  # the parcel before the money
    world.versions = (first, replace(first, version=2, steps=eager))
    world.start()
    await world.place("o-2", a=1)

    await world.settle()
    world.adds_up()

    done = {id: [line for line in world.history(id) if "Completed" in line] for id in _TWO}
    assert (world.saga("o-1").version, done["o-1"][3]) == (1, "Completed book shipment")
    assert (world.saga("o-2").version, done["o-2"][3]) == (2, "Completed authorise payment")


async def test_a_saga_of_a_newer_release_is_left_to_it() -> None:
    """A process that does not know a saga's definition runs no step of it, and says why."""
    world = World()
    first = order_fulfilment
    world.versions = (first, replace(first, version=2))
    world.start()
    await world.receive(a=5)
    await world.place(a=1)
    await world.settle()
    await world.tell("o-1", CancelOrder(reason="too late"))
    world.versions = (first,)
    world.start()

    with pytest.raises(NotHere, match="newer release"):
        await world.engine.handle(world.recorded("order-o-1")[-1])


_TWO = ("o-1", "o-2")
