"""Sagas whose aggregates, or own events, somebody has tampered with."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from application.messages import Context, NewEvent
from application.ports import NO_STREAM
from application.sagas.deadlines import UNSEEN, Deadlines
from application.sagas.state import Status
from application.shop.service import SHOP
from infrastructure import memory
from infrastructure.providers.simulated import Fault
from tests.shop.application.sagas.world import World


async def test_goods_whose_stream_was_deleted_are_not_to_be_had() -> None:
    """The step is refused and the rest undone: a saga does not go on and on about it."""
    world = World()
    await world.receive(a=5, b=5)
    world.store.delete("stock-b")
    await world.place(a=2, b=1)
    await world.settle()

    saga = world.saga()
    assert saga.status is Status.FAILED, "what it may have reserved there cannot be released"
    assert "stock-b was deleted" in str(saga.reason)
    assert "o-1" not in world.folded("stock-a").reserved


async def test_a_saga_with_a_hole_is_not_woken_and_others_are() -> None:
    """Waking goes on for all whose streams are whole."""
    world = World(Fault(kind="unavailable", call="book"))
    await world.receive(a=5)
    for id in ("o-1", "o-2"):
        await world.place(id, a=1)
        await world.engine.handle(world.recorded(f"order-{id}")[0])
    watcher = Deadlines(
        "order_fulfilment", world.store, memory.Subscriptions(world.store), now=lambda: world.now
    )
    for id in ("o-1", "o-2"):
        watcher.learn(world.recorded(f"order_fulfilment-{id}")[-1])
    world.store.truncate("order_fulfilment-o-1", 1)
    world.now += timedelta(seconds=1)
    await watcher.wake()

    assert world.recorded("order_fulfilment-o-2")[-1].type == "SagaWoken"


async def test_kept_moments_that_are_gone_are_learnt_again() -> None:
    """They only save reading: without them all is read from the first event on."""
    store = memory.EventStore(SHOP.catalogue)
    store.delete("deadlines-order_fulfilment")
    deadlines = Deadlines("order_fulfilment", store, memory.Subscriptions(store), keep_after=0)
    task = asyncio.create_task(deadlines.run())
    await deadlines.caught_up()
    await deadlines.keep()

    assert not task.done()
    task.cancel()
    await asyncio.wait([task])


async def test_a_moment_that_cannot_be_read_stops_no_other() -> None:
    """An event of a newer release: that saga is looked at later, and says itself what is wrong."""
    now = datetime.now(UTC)
    store = memory.EventStore(SHOP.catalogue)
    metadata = Context.start("order_fulfilment", uuid4(), now).metadata(99)
    newer = NewEvent(uuid4(), "StepDelayed", b"{}", metadata)
    await store.append("order_fulfilment-1", [newer], NO_STREAM)
    deadlines = Deadlines("order_fulfilment", store, memory.Subscriptions(store), now=lambda: now)
    async for recorded in store.read("order_fulfilment-1"):
        deadlines.learn(recorded)

    assert deadlines.moments == {"1": now + UNSEEN}
    assert timedelta(0) < UNSEEN
