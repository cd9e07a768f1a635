"""Moments to wake at: learnt from the log, kept in the store, and told apart from the clock."""

import asyncio
from datetime import UTC, datetime, timedelta

from application.sagas.clock import steady_clock
from application.sagas.deadlines import Deadlines
from application.sagas.moments import UNSEEN
from infrastructure import memory
from infrastructure.providers.simulated import Fault
from tests.sample.world import Bank
from tests.waiting import until


async def sleeping(count: int) -> Bank:
    """A bank in which so many sagas wait for a provider that is away."""
    world = Bank(Fault(kind="unavailable", call="redeem"))
    await world.deposit(a=1000)
    for number in range(count):
        await world.request(f"t-{number}", 1)
        requested = world.recorded(f"transfer-t-{number}")[0]
        await world.engine.handle(requested)
    return world


def deadlines(world: Bank, keep_after: int = 10_000) -> Deadlines:
    return Deadlines(
        "money_transfer",
        world.store,
        memory.Subscriptions(world.store),
        now=lambda: world.now,
        keep_after=keep_after,
    )


async def test_a_moment_is_woken_once_however_many_look() -> None:
    """Any number of processes watch the same moments; each saga is woken by one of them."""
    world = await sleeping(3)
    watchers = [deadlines(world) for _ in range(4)]
    tasks = [asyncio.create_task(watcher.run()) for watcher in watchers]
    await until(lambda: all(len(watcher.moments) == 3 for watcher in watchers))

    world.now += timedelta(seconds=1)
    await asyncio.gather(*(watcher.wake() for watcher in watchers))
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)

    woken = [of for of in world.store.after(-1, 1000) if of.type == "SagaWoken"]
    assert sorted(of.stream for of in woken) == [f"money_transfer-t-{one}" for one in range(3)]
    assert {of.metadata.actor for of in woken} == {"deadline of money_transfer"}
    assert {of.metadata.on_behalf_of for of in woken} == {"somebody"}


async def test_moments_are_kept_and_recalled() -> None:
    """Who starts later goes on from the moments that were kept, without reading what was before."""
    world = await sleeping(5)
    first = deadlines(world, keep_after=10)
    task = asyncio.create_task(first.run())
    await until(lambda: bool(world.recorded("deadlines-money_transfer")))
    task.cancel()
    await asyncio.wait([task])

    second = deadlines(world)
    await second.recall()

    assert second.moments == first.moments
    assert len(second.moments) == 5


async def test_a_saga_that_nobody_sees_to_is_woken() -> None:
    """A saga whose events were lost on the way is found by its deadline, and given up."""
    world = await sleeping(0)
    await world.request(amount=1)
    requested = world.recorded("transfer-t-1")[0]
    world.moments.happens = {8: asyncio.Event().wait}  # it is never heard of again
    lost = asyncio.create_task(world.engine.handle(requested))
    await until(lambda: world.moments.passed == 8)
    lost.cancel()

    world.moments.happens = {}
    world.now += UNSEEN
    await world.settle()
    await world.adds_up()


async def test_the_clock_does_not_jump() -> None:
    """Setting the machine's clock moves no deadline of a running process."""
    wall, passed = [datetime(2026, 1, 1, tzinfo=UTC)], [100.0]
    now = steady_clock(lambda: wall[0], lambda: passed[0])

    wall[0] += timedelta(hours=5)
    passed[0] += 2

    assert now() == datetime(2026, 1, 1, 0, 0, 2, tzinfo=UTC)


async def test_a_clock_that_was_set_back_keeps_nobody_waiting() -> None:
    """After a restart on an earlier clock, a saga waits no longer than was meant."""
    world = await sleeping(1)
    world.now -= timedelta(hours=5)
    later = deadlines(world)
    for recorded in world.recorded("money_transfer-t-0"):
        if recorded.type in ("SagaStarted", "StepDelayed"):
            later.learn(recorded)

    assert later.moments["t-0"] - world.now <= timedelta(seconds=1)
