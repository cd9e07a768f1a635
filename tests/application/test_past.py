"""What was seen of a stream: read on from, never trusted further than an append proves."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from application.command_dispatch import CommandDispatch
from application.messages import Context
from domain.stock import OutOfStock, ReceiveStock, ReserveStock
from infrastructure import memory


def asked() -> Context:
    return Context.start("a test", uuid4(), datetime(2026, 1, 1, tzinfo=UTC))


class Counted(memory.EventStore):
    """Counts how many events are read."""

    def __init__(self) -> None:
        super().__init__()
        self.read_events = 0

    async def read(self, stream: str, **rest):  # type: ignore[no-untyped-def]  # as its parent
        async for recorded in super().read(stream, **rest):
            self.read_events += 1
            yield recorded


async def test_a_known_stream_is_not_read_again() -> None:
    """A command on a stream that was just written costs its append alone."""
    store = Counted()
    dispatch = CommandDispatch(store, remember=10)
    await dispatch("a", ReceiveStock(receipt_id="r", quantity=5), asked())
    for number in range(5):
        await dispatch("a", ReserveStock(order_id=f"o-{number}", quantity=1), asked())

    assert store.read_events == 0


async def test_what_others_have_appended_is_found_by_the_append() -> None:
    """Deciding on what is old is noticed, and the decision is made anew."""
    store = memory.EventStore()
    ours, theirs = (CommandDispatch(store, remember=10) for _ in range(2))
    await ours("a", ReceiveStock(receipt_id="r", quantity=2), asked())
    await theirs("a", ReserveStock(order_id="o-1", quantity=2), asked())

    with pytest.raises(OutOfStock):
        await ours("a", ReserveStock(order_id="o-2", quantity=2), asked())


async def test_a_refusal_on_what_is_old_is_not_trusted() -> None:
    """What was out of stock when it was last seen may be here again."""
    store = memory.EventStore()
    ours, theirs = (CommandDispatch(store, remember=10) for _ in range(2))
    await ours("a", ReceiveStock(receipt_id="r", quantity=1), asked())
    await theirs("a", ReceiveStock(receipt_id="s", quantity=1), asked())

    outcome = await ours("a", ReserveStock(order_id="o-1", quantity=2), asked())

    assert outcome.version == 2


async def test_only_so_many_streams_are_remembered() -> None:
    """Memory is bounded by the number of streams, the ones asked for last."""
    store = Counted()
    dispatch = CommandDispatch(store, remember=1)
    for sku in ("a", "b", "a"):
        await dispatch(sku, ReceiveStock(receipt_id=f"{uuid4()}", quantity=1), asked())

    assert store.read_events == 1


async def test_a_repeated_command_is_recognised_in_what_is_remembered() -> None:
    """The same command id is answered as the first time, without a look at the store."""
    store = Counted()
    dispatch = CommandDispatch(store, remember=10)
    context, command = asked(), ReceiveStock(receipt_id="r", quantity=5)
    first = await dispatch("a", command, context)
    again = await dispatch("a", command, context)

    assert (again.version, again.position, again.repeated) == (first.version, first.position, True)
    assert store.read_events == 0
