"""The doctor names streams of which events are gone, and no others."""

from datetime import UTC, datetime
from uuid import uuid4

from application.damaged_streams import damaged
from application.messages import Context
from application.ports import NO_STREAM
from domain.decider import Event
from infrastructure import memory
from tests.sample.accounts import Deposited
from tests.sample.service import SAMPLE


async def received(store: memory.EventStore, account: str, count: int) -> str:
    """The stream of that name, with so many events."""
    stream = f"account-{account}"
    context = Context.start("a test", uuid4(), datetime.now(UTC))
    events: list[Event] = [Deposited(deposit_id=f"r-{n}", amount=1) for n in range(count)]
    new = [SAMPLE.catalogue.new_event(event, uuid4(), context) for event in events]
    await store.append(stream, new, NO_STREAM)
    return stream


async def test_each_stream_that_lost_something_is_named_with_what() -> None:
    """Truncated in part, truncated to nothing, deleted; the whole ones are not named."""
    store = memory.EventStore(SAMPLE.catalogue)
    _, part, all_of_it, deleted = [await received(store, account, 3) for account in "ABCD"]
    long = await received(store, "long", 30)
    store.truncate(part, 2)
    store.truncate(all_of_it, 3)
    store.delete(deleted)
    store.truncate(long, 1)

    found = {
        of.stream: of.what
        for of in await damaged(memory.Subscriptions(store), store, SAMPLE.catalogue)
    }

    assert set(found) == {part, all_of_it, deleted, long}
    assert "lacks version 0 and goes on with version 2" in found[part]
    assert "shows none at all" in found[all_of_it]
    assert "was deleted" in found[deleted]


async def test_an_untouched_store_is_whole() -> None:
    """Nothing is named where nothing is wrong, in short streams and in long ones."""
    store = memory.EventStore(SAMPLE.catalogue)
    for events in (1, 9, 10, 11, 30):
        await received(store, str(events), events)

    assert await damaged(memory.Subscriptions(store), store, SAMPLE.catalogue) == []
