"""The doctor names streams of which events are gone, and no others."""

from datetime import UTC, datetime
from uuid import uuid4

from application.damaged_streams import damaged
from application.messages import Context
from application.ports import NO_STREAM
from application.shop.service import SHOP
from domain.decider import Event
from domain.stock import StockReceived
from infrastructure import memory


async def received(store: memory.EventStore, sku: str, count: int) -> str:
    """The stream of that SKU, with so many events."""
    stream = f"stock-{sku}"
    context = Context.start("a test", uuid4(), datetime.now(UTC))
    events: list[Event] = [StockReceived(receipt_id=f"r-{n}", quantity=1) for n in range(count)]
    new = [SHOP.catalogue.new_event(event, uuid4(), context) for event in events]
    await store.append(stream, new, NO_STREAM)
    return stream


async def test_each_stream_that_lost_something_is_named_with_what() -> None:
    """Truncated in part, truncated to nothing, deleted; the whole ones are not named."""
    store = memory.EventStore(SHOP.catalogue)
    _, part, all_of_it, deleted = [await received(store, sku, 3) for sku in "ABCD"]
    store.truncate(part, 2)
    store.truncate(all_of_it, 3)
    store.delete(deleted)

    found = {
        of.stream: of.what
        for of in await damaged(memory.Subscriptions(store), store, SHOP.catalogue)
    }

    assert set(found) == {part, all_of_it, deleted}
    assert "lacks version 0 and goes on with version 2" in found[part]
    assert "shows none at all" in found[all_of_it]
    assert "was deleted" in found[deleted]


async def test_an_untouched_store_is_whole() -> None:
    """Nothing is named where nothing is wrong."""
    store = memory.EventStore(SHOP.catalogue)
    for sku in "ABC":
        await received(store, sku, 4)

    assert await damaged(memory.Subscriptions(store), store, SHOP.catalogue) == []
