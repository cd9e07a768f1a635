"""What was seen of a stream: read on from, never trusted further than an append proves."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from application.command_dispatch import CommandDispatch
from application.messages import Context
from application.past import Past
from application.ports import NO_STREAM, Appended
from application.shop.service import SHOP
from domain.stock import OutOfStock, ReceiveStock, ReserveStock, StockReceived
from infrastructure import memory

STOCK = SHOP.catalogue.by_command[ReceiveStock]


def asked() -> Context:
    return Context.start("a test", uuid4(), datetime(2026, 1, 1, tzinfo=UTC))


class Counted(memory.EventStore):
    """Counts how many events are read, and lets others look after each of them."""

    def __init__(self) -> None:
        super().__init__(SHOP.catalogue)
        self.read_events = 0
        self.between: Callable[[], object] = lambda: None

    async def read(self, stream: str, **rest):  # type: ignore[no-untyped-def]  # as its parent
        async for recorded in super().read(stream, **rest):
            self.read_events += 1
            yield recorded
            self.between()


async def test_a_known_stream_is_not_read_again() -> None:
    """A command on a stream that was just written costs its append alone."""
    store = Counted()
    dispatch = CommandDispatch(store, SHOP.catalogue, remember=10)
    await dispatch("a", ReceiveStock(receipt_id="r", quantity=5), asked())
    for number in range(5):
        await dispatch("a", ReserveStock(order_id=f"o-{number}", quantity=1), asked())

    assert store.read_events == 0


async def test_what_others_have_appended_is_found_by_the_append() -> None:
    """Deciding on what is old is noticed, and the decision is made anew."""
    store = memory.EventStore(SHOP.catalogue)
    ours, theirs = (CommandDispatch(store, SHOP.catalogue, remember=10) for _ in range(2))
    await ours("a", ReceiveStock(receipt_id="r", quantity=2), asked())
    await theirs("a", ReserveStock(order_id="o-1", quantity=2), asked())

    with pytest.raises(OutOfStock):
        await ours("a", ReserveStock(order_id="o-2", quantity=2), asked())


async def test_a_refusal_on_what_is_old_is_not_trusted() -> None:
    """What was out of stock when it was last seen may be here again."""
    store = memory.EventStore(SHOP.catalogue)
    ours, theirs = (CommandDispatch(store, SHOP.catalogue, remember=10) for _ in range(2))
    await ours("a", ReceiveStock(receipt_id="r", quantity=1), asked())
    await theirs("a", ReceiveStock(receipt_id="s", quantity=1), asked())

    outcome = await ours("a", ReserveStock(order_id="o-1", quantity=2), asked())

    assert outcome.version == 2


async def test_only_so_many_streams_are_remembered() -> None:
    """Memory is bounded by the number of streams, the ones asked for last."""
    store = Counted()
    dispatch = CommandDispatch(store, SHOP.catalogue, remember=1)
    for sku in ("a", "b", "a"):
        await dispatch(sku, ReceiveStock(receipt_id=f"{uuid4()}", quantity=1), asked())

    assert store.read_events == 1


async def test_a_repeated_command_is_recognised_in_what_is_remembered() -> None:
    """The same command id is answered as the first time, without a look at the store."""
    store = Counted()
    dispatch = CommandDispatch(store, SHOP.catalogue, remember=10)
    context, command = asked(), ReceiveStock(receipt_id="r", quantity=5)
    first = await dispatch("a", command, context)
    again = await dispatch("a", command, context)

    assert (again.version, again.position, again.repeated) == (first.version, first.position, True)
    assert store.read_events == 0


async def test_a_snapshot_takes_a_past_forward_only() -> None:
    """One that is older than what is known changes nothing, not for the moment of a read either."""
    store, seen = await received(4), list[int]()
    older, past = Past(STOCK, "stock-a"), Past(STOCK, "stock-a")
    await older.read_on(await received(2))
    await past.read_on(store)

    store.between = lambda: seen.append(past.version)
    assert await past.begin(older.snapshot(), store)

    assert (seen, past.state.on_hand) == ([3, 3, 3], 4)


async def test_a_snapshot_ends_what_was_known_in_part() -> None:
    """Who was amid an append when a snapshot came answers with the whole of it."""
    store, context = memory.EventStore(SHOP.catalogue), asked()
    events = [StockReceived(receipt_id=id, quantity=1) for id in "rs"]
    new = [SHOP.catalogue.new_event(event, uuid4(), context) for event in events]
    whole, past = Past(STOCK, "stock-a"), Past(STOCK, "stock-a")
    past.appended(new[:1], events[:1], Appended(version=0, position=0))
    await store.append("stock-a", new, NO_STREAM)
    await whole.read_on(store)

    assert await past.begin(whole.snapshot(), store)

    earlier = await past.of_command(context.command_id, store)
    assert earlier == await whole.of_command(context.command_id, store)


async def received(times: int) -> Counted:
    """One unit each time, by the same commands."""
    store = Counted()
    for number in range(times):
        command = ReceiveStock(receipt_id=f"r-{number}", quantity=1)
        context = Context.start("a test", UUID(int=number), datetime(2026, 1, 1, tzinfo=UTC))
        await CommandDispatch(store, SHOP.catalogue)("a", command, context)
    return store
