"""The contract of ``Subscriptions`` and ``StoreFacts``, also of subscriptions that are shared."""

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import replace

import pytest

from application.event_filter import EVERYTHING, EventFilter
from application.messages import NewEvent, RecordedEvent
from application.ports import NO_STREAM, Progress
from application.shared_subscription import SharedSubscription
from tests.contracts.made_up import all_of, event, events, name, only, put_foreign, until
from tests.contracts.stores import Stores
from tests.waiting import PATIENCE

Items = list[RecordedEvent | Progress]


@pytest.fixture(params=["apart", "shared"])
def subscribed(request: pytest.FixtureRequest) -> str:
    """With the store's own subscriptions, or with shared ones over them."""
    return str(request.param)


@pytest.fixture
def stores(stores: Stores, subscribed: str) -> Stores:
    if subscribed == "apart":
        return stores
    return replace(stores, subscriptions=SharedSubscription(stores.subscriptions))


async def put(stores: Stores, appended: list[NewEvent], stream: str = "") -> list[RecordedEvent]:
    stream = stream or name()
    await stores.events.append(stream, appended, NO_STREAM)
    return await all_of(stores.events.read(stream))


async def until_caught_up(items: AsyncIterator[RecordedEvent | Progress]) -> Items:
    seen: Items = []
    async with asyncio.timeout(PATIENCE):
        async for item in items:
            seen.append(item)
            if isinstance(item, Progress) and item.caught_up:
                return seen
    raise AssertionError("a subscription has no end")


async def next_events(
    items: AsyncIterator[RecordedEvent | Progress], count: int
) -> list[RecordedEvent]:
    seen: list[RecordedEvent] = []
    async with asyncio.timeout(PATIENCE):
        while len(seen) < count:
            item = await anext(items)
            if isinstance(item, RecordedEvent):
                seen.append(item)
    return seen


async def caught_up(stores: Stores, after: int | None, types: Collection[str]) -> Items:
    wanted = EventFilter.of("stream", *types)
    async with stores.subscriptions.catch_up(after=after, only=wanted) as items:
        return await until_caught_up(items)


def only_events(items: Items) -> list[RecordedEvent]:
    return [item for item in items if isinstance(item, RecordedEvent)]


async def test_the_past_comes_in_order_then_the_end_is_announced(stores: Stores) -> None:
    """All events of the store come across streams by position, followed by ``Progress`` with
    ``caught_up``."""
    type = name("Noted")
    recorded = [one for _ in range(4) for one in await put(stores, events(3, type))]

    items = await caught_up(stores, None, {type})

    assert only_events(items) == recorded
    assert isinstance(items[-1], Progress)
    assert items[-1].position >= recorded[-1].position


async def test_the_future_follows_the_past(stores: Stores) -> None:
    """Events that are appended after catching up come, too."""
    type = name("Noted")
    async with stores.subscriptions.catch_up(after=None, only=only(type)) as items:
        assert only_events(await until_caught_up(items)) == []
        for _ in range(3):
            recorded = await put(stores, events(2, type))
            assert await next_events(items, 2) == recorded


async def test_a_subscription_begins_after_a_position(stores: Stores) -> None:
    """From any position it continues with the next event, without repeating or omitting one."""
    type = name("Noted")
    recorded = await put(stores, events(6, type))

    for seen, last in enumerate(recorded, 1):
        items = await caught_up(stores, last.position, {type})
        assert only_events(items) == recorded[seen:]


async def test_progress_is_a_place_to_begin_after(stores: Stores) -> None:
    """A subscription after the position of a ``Progress`` gets exactly the events that came after
    it."""
    type, (start,) = name("Noted"), await put(stores, events(1, "Other"))
    for _ in range(3):
        await put(stores, events(150, "Other"))
        await put(stores, events(2, type))
    items = await caught_up(stores, start.position, {type})

    for at, item in enumerate(items):
        if isinstance(item, Progress):
            again = await caught_up(stores, item.position, {type})
            assert only_events(again) == only_events(items[at:])


async def test_only_the_types_asked_for_come(stores: Stores) -> None:
    """A type is compared as a whole, whatever characters it has."""
    type = name("A.B+C (d|e)")
    others = [f"{type}!", f"!{type}", type.lower(), type.replace(".", "x"), type[:-1]]
    await put(stores, [event(other) for other in others])
    wanted, second = await put(stores, [event(type), event(f"{type}2")])
    await put(stores, [event(other) for other in others])

    assert only_events(await caught_up(stores, None, {type})) == [wanted]
    assert only_events(await caught_up(stores, None, [type, f"{type}2"])) == [wanted, second]


async def test_what_is_not_ours_does_not_come(stores: Stores) -> None:
    """An event of our type in another category, or of another type in ours, belongs to another
    program. Progress continues past it."""
    type, category = name("Noted"), name("notes").replace("-", "")
    await put_foreign(stores.events, category, type)
    wanted = await put(stores, events(2, type), name(category))
    await put_foreign(stores.events, category, type)
    (last,) = await put(stores, events(1, type))

    async with stores.subscriptions.catch_up(after=None, only=only(type, category)) as items:
        seen = await until_caught_up(items)
        assert only_events(seen) == wanted
        assert seen[-1].position >= last.position
        await put_foreign(stores.events, category, type)
        more = await put(stores, events(1, type), name(category))
        assert await next_events(items, 1) == more


async def test_everything_comes_to_a_reader_without_a_filter(stores: Stores) -> None:
    """It gets the events of all programs, in any category, also those that are appended later."""
    before = await stores.facts.head()
    type, category = name("Noted"), name("notes").replace("-", "")

    async with stores.subscriptions.catch_up(after=before, only=EVERYTHING) as items:
        appended = [stream for stream, _ in await put_foreign(stores.events, category, type)]
        (own,) = await put(stores, events(1, type))
        seen: list[str] = []
        async with asyncio.timeout(PATIENCE):
            while own.stream not in seen:
                item = await anext(items)
                seen += [item.stream] if isinstance(item, RecordedEvent) else []

    assert [stream for stream in seen if stream in appended] == appended


async def test_a_store_counts_what_is_ours(stores: Stores) -> None:
    """A count is exact: other programs' events are not in it, and new ones are."""
    type, category = name("Noted"), name("notes").replace("-", "")
    wanted = only(type, category)

    async def counted() -> bool:  # ``None`` as long as the store cannot tell
        numbers.append(await stores.facts.count(wanted))
        return numbers[-1] is not None

    numbers: list[int | None] = []
    for _ in range(2):
        await put_foreign(stores.events, category, type)
        await put(stores, events(3, type), name(category))
        await until(counted)
    assert [number for number in numbers if number is not None] == [3, 6]


async def test_the_end_is_announced_where_nothing_is_wanted(stores: Stores) -> None:
    """Without a matching event, the subscription still reports that it has caught up."""
    type = name("Noted")
    (recorded,) = await put(stores, [event("Other")])

    for after in (None, recorded.position):
        items = await caught_up(stores, after, {type})
        assert all(isinstance(item, Progress) for item in items)
        assert items[-1].position >= (-1 if after is None else after)


async def test_progress_goes_on_while_nothing_is_wanted(stores: Stores) -> None:
    """Thousands of other events move a subscription on, so that it can start near the end."""
    async with stores.subscriptions.catch_up(after=None, only=only(name("Rare"))) as items:
        end = (await until_caught_up(items))[-1].position
        others = await put(stores, events(1_000, "Other"))
        async with asyncio.timeout(PATIENCE):
            while end < others[500].position:
                progress = await anext(items)
                assert isinstance(progress, Progress)
                assert progress.position >= end
                end = progress.position


async def test_concurrent_appends_are_neither_missed_nor_doubled_nor_reordered(
    stores: Stores,
) -> None:
    """A subscription during concurrent appends gives what reading gives afterwards."""
    type, streams = name("Noted"), [name() for _ in range(8)]

    async def write(stream: str) -> None:
        for version in range(-1, 29):
            await stores.events.append(stream, [event(type)], version)

    async def follow() -> list[RecordedEvent]:
        async with stores.subscriptions.catch_up(after=None, only=only(type)) as items:
            return await next_events(items, 240)

    async with asyncio.TaskGroup() as group:
        early = group.create_task(follow())
        writing = [group.create_task(write(stream)) for stream in streams]
        await asyncio.wait(writing, return_when=asyncio.FIRST_COMPLETED)
        late = group.create_task(follow())

    written = [one for stream in streams for one in await all_of(stores.events.read(stream))]
    in_order = sorted(written, key=lambda one: one.position)
    assert early.result() == in_order
    assert late.result() == in_order


async def test_giving_up_waiting_ends_the_subscription(stores: Stores) -> None:
    """After a timeout on the next event the subscription has ended, so no event can be omitted
    unnoticed."""
    type = name("Noted")
    async with stores.subscriptions.catch_up(after=None, only=only(type)) as items:
        await until_caught_up(items)
        with pytest.raises(TimeoutError):
            await _until_nothing_comes(items)
        await put(stores, [event(type)])
        with pytest.raises(StopAsyncIteration):
            await anext(items)


async def _until_nothing_comes(items: AsyncIterator[RecordedEvent | Progress]) -> None:
    while True:  # others' events may bring progress
        assert isinstance(await asyncio.wait_for(anext(items), 0.05), Progress)


async def test_a_large_backlog_comes_whole(stores: Stores) -> None:
    """A slow reader gets thousands of events, more than any buffer holds, in order."""
    type = name("Noted")
    (start,) = await put(stores, events(1, "Other"))
    recorded = [one for _ in range(2) for one in await put(stores, events(1_500, type))]

    async with stores.subscriptions.catch_up(after=start.position, only=only(type)) as items:
        first = await next_events(items, 1)
        await asyncio.sleep(0.1)  # a reader that is busy: buffers fill
        rest = await next_events(items, 2_999)

    assert first + rest == recorded


async def test_subscribers_do_not_notice_each_other(stores: Stores) -> None:
    """Each gets all events, and one that leaves does not affect the others."""
    type = name("Noted")
    async with (
        stores.subscriptions.catch_up(after=None, only=only(type)) as one,
        stores.subscriptions.catch_up(after=None, only=only(type)) as other,
    ):
        async with stores.subscriptions.catch_up(after=None, only=only(type)) as leaving:
            await until_caught_up(leaving)
        recorded = await put(stores, events(2, type))

        assert await next_events(one, 2) == recorded
        assert await next_events(other, 2) == recorded


@pytest.mark.parametrize("early", [True, False])
async def test_leaving_leaves_nothing_behind(stores: Stores, early: bool) -> None:
    """When the context ends, no task is left, whether or not all events were read."""
    type = name("Noted")
    await put(stores, events(1_000, type))
    before = asyncio.all_tasks()

    async with stores.subscriptions.catch_up(after=None, only=only(type)) as items:
        await (next_events(items, 1) if early else until_caught_up(items))

    async with asyncio.timeout(PATIENCE):
        while left := asyncio.all_tasks() - before:
            await asyncio.wait(left, timeout=0.1)


async def test_cancelling_a_reader_cancels_it(stores: Stores) -> None:
    """A task that reads a subscription can be cancelled like any other."""

    async def follow() -> None:
        async with stores.subscriptions.catch_up(after=None, only=only(name("Rare"))) as items:
            async for _ in items:
                reached.set()

    reached = asyncio.Event()
    task = asyncio.create_task(follow())
    await asyncio.wait_for(reached.wait(), PATIENCE)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, PATIENCE)


async def test_the_head_is_at_or_behind_the_last_event(stores: Stores) -> None:
    """No event that the store shows is beyond its head, and the head moves on with every append."""
    before = await stores.facts.head()
    (recorded,) = await put(stores, events(1))

    assert before < recorded.position <= await stores.facts.head()
