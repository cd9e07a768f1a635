"""What can neither go on nor turn back: an order that waits for a person."""

from application.sagas.state import SagaStatus
from domain.orders import CancelOrder
from tests.shop.application.sagas.world import World


async def test_goods_whose_stream_was_deleted_are_not_to_be_had() -> None:
    """The step is refused and the rest undone: a saga does not go on and on about it."""
    world = World()
    await world.receive(a=5, b=5)
    world.store.delete("stock-b")
    await world.place(a=2, b=1)
    await world.settle()

    saga = world.saga()
    assert saga.status is SagaStatus.FAILED, "what it may have reserved there cannot be released"
    assert "stock-b was deleted" in str(saga.reason)
    assert "o-1" not in world.folded("stock-a").reserved


async def test_refused_beyond_the_point_of_no_return() -> None:
    """Once the money is taken, a refusal turns nothing back by itself: it is for a person."""
    world = World()
    await world.receive(a=2)
    await world.place(a=2)

    async def cancelled() -> None:
        await world.tell("o-1", CancelOrder(reason="at the last moment"))

    world.moments.happens = {20: cancelled}
    await world.engine.handle(world.recorded("order-o-1")[0])
    if world.saga().status is SagaStatus.FAILED:
        assert "AlreadyCancelled" in world.saga().reason
    await world.settle()  # the cancellation itself is handed out, and that has all undone

    world.adds_up()
    assert world.saga().status is SagaStatus.COMPENSATED
