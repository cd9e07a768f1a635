"""Sagas whose aggregates, or own events, somebody has tampered with."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from application.messages import Context, NewEvent
from application.ports import NO_STREAM
from application.sagas.deadlines import Deadlines
from application.sagas.moments import UNSEEN
from application.sagas.state import SagaStatus
from infrastructure import memory
from infrastructure.providers.simulated import Fault
from tests.sample.service import SAMPLE
from tests.sample.world import Bank


async def test_what_is_on_a_deleted_account_is_not_to_be_had() -> None:
    """The step is refused and the rest undone: a saga does not go on and on about it."""
    world = Bank()
    await world.deposit(a=5)
    world.store.delete("account-a")
    await world.request()
    await world.settle()

    saga = world.saga()
    assert saga.status is SagaStatus.COMPENSATED
    assert "account-a was deleted" in str(saga.reason)
    assert world.folded("transfer-t-1").status == "cancelled"


async def test_what_is_for_a_deleted_account_needs_a_person() -> None:
    """Beyond the point of no return a refusal turns nothing back."""
    world = Bank()
    await world.deposit(a=5, b=5)
    world.store.delete("account-b")
    await world.request()
    await world.settle()

    saga = world.saga()
    assert saga.status is SagaStatus.FAILED
    assert "account-b was deleted" in str(saga.reason)
    assert world.folded("transfer-t-1").status == "completed"


async def test_a_saga_with_a_hole_is_not_woken_and_others_are() -> None:
    """Waking goes on for all whose streams are whole."""
    world = Bank(Fault(kind="unavailable", call="redeem"))
    await world.deposit(a=5)
    for id in ("t-1", "t-2"):
        await world.request(id, 1)
        await world.engine.handle(world.recorded(f"transfer-{id}")[0])
    watcher = Deadlines(
        "money_transfer", world.store, memory.Subscriptions(world.store), now=lambda: world.now
    )
    for id in ("t-1", "t-2"):
        watcher.learn(world.recorded(f"money_transfer-{id}")[-1])
    world.store.truncate("money_transfer-t-1", 1)
    world.now += timedelta(seconds=1)
    await watcher.wake()

    assert world.recorded("money_transfer-t-2")[-1].type == "SagaWoken"


async def test_kept_moments_that_are_gone_are_learnt_again() -> None:
    """They only save reading: without them all is read from the first event on."""
    store = memory.EventStore(SAMPLE.catalogue)
    store.delete("deadlines-money_transfer")
    deadlines = Deadlines("money_transfer", store, memory.Subscriptions(store), keep_after=0)
    task = asyncio.create_task(deadlines.run())
    await deadlines.caught_up()
    await deadlines.keep()

    assert not task.done()
    task.cancel()
    await asyncio.wait([task])


async def test_a_moment_that_cannot_be_read_stops_no_other() -> None:
    """An event of a newer release: that saga is looked at later, and says itself what is wrong."""
    now = datetime.now(UTC)
    store = memory.EventStore(SAMPLE.catalogue)
    metadata = Context.start("money_transfer", uuid4(), now).metadata(99)
    newer = NewEvent(uuid4(), "StepDelayed", b"{}", metadata)
    await store.append("money_transfer-1", [newer], NO_STREAM)
    deadlines = Deadlines("money_transfer", store, memory.Subscriptions(store), now=lambda: now)
    async for recorded in store.read("money_transfer-1"):
        deadlines.learn(recorded)

    assert deadlines.moments == {"1": now + UNSEEN}
    assert timedelta(0) < UNSEEN
