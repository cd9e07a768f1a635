"""Catch-up subscriptions: what was there, then what comes, with checkpoints and 'caught up'."""

import asyncio
from collections.abc import AsyncIterator

import psutil
import pytest
from esdbclient import (
    AsyncEventStoreDBClient,
    CaughtUp,
    Checkpoint,
    EventStoreDBClient,
    NewEvent,
    StreamState,
)
from esdbclient.events import RecordedEvent
from esdbclient.exceptions import GrpcError, StreamIsDeleted

from embedded_eventstoredb import NodeProcess
from waiting import PATIENCE

ANY = StreamState.ANY
Client = AsyncEventStoreDBClient


async def append(client: Client, stream: str, count: int, kind: str = "Happened") -> int:
    events = [NewEvent(kind, b"%d" % number) for number in range(count)]
    return await client.append_to_stream(stream, current_version=ANY, events=events)


async def take(subscription: AsyncIterator[RecordedEvent], count: int) -> list[RecordedEvent]:
    async with asyncio.timeout(PATIENCE):
        return [await anext(subscription) for _ in range(count)]


def kinds(events: list[RecordedEvent]) -> str:
    """E for an event, P for a checkpoint, U for caught up."""
    names = {Checkpoint: "P", CaughtUp: "U"}
    return "".join(names.get(type(event), "E") for event in events)


async def test_all_then_live(fresh_client: Client) -> None:
    """A subscriber receives all existing events, then "caught up", then new events."""
    await append(fresh_client, "order-1", 600)
    async with await fresh_client.subscribe_to_all(include_caught_up=True) as subscription:
        assert kinds(await take(subscription, 601)) == "E" * 600 + "U"
        await append(fresh_client, "order-2", 2)
        live: list[RecordedEvent] = []
        # the links to all those events may put it behind, and it is told again that it caught up
        while kinds(live).count("E") < 2:
            live += await take(subscription, 1)
    names = [event.stream_name for event in live if type(event) is not CaughtUp]
    assert names == ["order-2", "order-2"]


async def test_all_after_a_position(fresh_client: Client) -> None:
    """The position that a subscription starts at is not delivered again."""
    position = await append(fresh_client, "order-1", 2)
    last = await append(fresh_client, "order-1", 1)
    async with await fresh_client.subscribe_to_all(commit_position=position) as subscription:
        (event,) = await take(subscription, 1)
    assert event.commit_position == last


async def test_all_from_the_end(fresh_client: Client) -> None:
    """From the end a subscriber has caught up at once and gets only what comes."""
    await append(fresh_client, "order-1", 2)
    async with await fresh_client.subscribe_to_all(
        from_end=True, include_caught_up=True
    ) as subscription:
        assert kinds(await take(subscription, 1)) == "U"
        await append(fresh_client, "order-1", 1)
        assert (await take(subscription, 1))[0].stream_position == 2


async def test_all_from_nowhere(fresh_client: Client) -> None:
    """A position within the log that is not at a record is refused."""
    position = await append(fresh_client, "order-1", 3)
    subscription = await fresh_client.subscribe_to_all(commit_position=position - 1)
    with pytest.raises(GrpcError, match="invalid position"):
        await take(subscription, 1)


async def test_checkpoint_interval(fresh_client: Client) -> None:
    """Every window x multiplier considered records there is a checkpoint, wanted or not."""
    await append(fresh_client, "order-1", 20, "Ignored")
    await append(fresh_client, "order-1", 4, "Wanted")
    async with await fresh_client.subscribe_to_all(
        filter_include=("Wanted",),
        include_checkpoints=True,
        include_caught_up=True,
        window_size=2,
        checkpoint_interval_multiplier=2,
    ) as subscription:
        received: list[RecordedEvent] = []
        while not kinds(received).endswith("U"):
            received += await take(subscription, 1)
    positions = [event.commit_position or 0 for event in received if type(event) is not CaughtUp]
    assert positions == sorted(positions)
    assert kinds(received).replace("P", "") == "EEEEU"
    assert kinds(received).index("E") >= 5
    assert kinds(received).endswith("PU")


async def test_no_checkpoint_twice(fresh_client: Client) -> None:
    """The checkpoint before 'caught up' is left out where there has just been one."""
    await append(fresh_client, "order-1", 5)
    async with await fresh_client.subscribe_to_all(
        include_checkpoints=True,
        include_caught_up=True,
        window_size=1,
        checkpoint_interval_multiplier=1,
    ) as subscription:
        received: list[RecordedEvent] = []
        while not kinds(received).endswith("U"):
            received += await take(subscription, 1)
    positions = [event.commit_position or 0 for event in received if type(event) is Checkpoint]
    assert positions == sorted(set(positions))


async def test_live_checkpoints(fresh_client: Client) -> None:
    """Checkpoints go on when live, so that a filter which matches nothing still gets ahead."""
    async with await fresh_client.subscribe_to_all(
        filter_include=("Nothing",),
        from_end=True,
        include_checkpoints=True,
        window_size=5,
        checkpoint_interval_multiplier=1,
    ) as subscription:
        last = await append(fresh_client, "order-1", 200)
        received: list[RecordedEvent] = []
        while not received or (received[-1].commit_position or 0) < last - 1000:
            received += await take(subscription, 1)
    assert set(kinds(received)) == {"P"}
    positions = [event.commit_position or 0 for event in received]
    assert positions == sorted(set(positions))


async def test_stream(client: Client, stream: str) -> None:
    """A stream is followed from after a version, from its end, or before it exists."""
    before = await client.subscribe_to_stream(stream, include_caught_up=True)
    assert kinds(await take(before, 1)) == "U"
    await append(client, stream, 3)
    assert [event.stream_position for event in await take(before, 3)] == [0, 1, 2]
    after = await client.subscribe_to_stream(stream, stream_position=1)
    end = await client.subscribe_to_stream(stream, from_end=True)
    await append(client, f"{stream}-b", 1)
    await append(client, stream, 1)
    assert [event.stream_position for event in await take(after, 2)] == [2, 3]
    assert [event.stream_position for event in await take(end, 1)] == [3]
    for subscription in (before, after, end):
        await subscription.stop()


async def test_stream_with_links(client: Client, stream: str) -> None:
    """A subscription that resolves links delivers their targets."""
    await append(client, stream, 2)
    async with await client.subscribe_to_stream(
        f"{stream}-links", resolve_links=True
    ) as subscription:
        link = NewEvent("$>", f"1@{stream}".encode(), content_type="application/octet-stream")
        await client.append_to_stream(f"{stream}-links", current_version=ANY, events=[link])
        (event,) = await take(subscription, 1)
    assert (event.stream_name, event.stream_position) == (stream, 1)


async def test_soft_delete_does_not_end(client: Client, stream: str) -> None:
    """A subscription outlives a soft delete and gets what is written afterwards."""
    async with await client.subscribe_to_stream(stream) as subscription:
        await append(client, stream, 2)
        await take(subscription, 2)
        await client.delete_stream(stream, current_version=ANY)
        await append(client, stream, 1)
        assert (await take(subscription, 1))[0].stream_position == 2


async def test_tombstone_ends(client: Client, stream: str) -> None:
    """A tombstone is delivered, and ends the subscription; a new one is refused."""
    await append(client, stream, 1)
    subscription = await client.subscribe_to_stream(stream)
    await take(subscription, 1)
    await client.tombstone_stream(stream, current_version=ANY)
    (last,) = await take(subscription, 1)
    assert last.type == "$streamDeleted"
    for ended in (subscription, None):
        with pytest.raises(StreamIsDeleted):
            await take(ended or await client.subscribe_to_stream(stream), 1)


async def test_many_subscribers_see_one_order(fresh_client: Client) -> None:
    """Subscribers that follow while many write all get every event once, in the same order."""
    subscriptions = [await fresh_client.subscribe_to_all() for _ in range(3)]

    async def write(number: int) -> None:
        for _ in range(20):
            await append(fresh_client, f"order-{number}", 1)

    results, _ = await asyncio.gather(
        asyncio.gather(*(take(subscription, 200) for subscription in subscriptions)),
        asyncio.gather(*(write(number) for number in range(10))),
    )
    assert results[0] == results[1] == results[2]
    assert len({event.id for event in results[0]}) == 200
    for subscription in subscriptions:
        await subscription.stop()


async def test_slow_subscriber_holds_up_nobody(fresh_node: NodeProcess) -> None:
    """A subscriber that does not read keeps nothing from the others, and costs no memory.

    What it has not read stays on the node's disk: 80 MB here for a subscriber, as much again for a
    consumer. What gRPC takes for messages of this size comes and goes: 30 to 60 MB.
    """
    process, writer, slow = (
        psutil.Process(fresh_node.pid),
        Client(fresh_node.uri),
        Client(fresh_node.uri),
    )
    await asyncio.gather(writer.connect(), slow.connect())
    await slow.create_subscription_to_all("slow")
    subscription = await slow.subscribe_to_all()
    consumer = await slow.read_subscription_to_all("slow")
    await append(writer, "order-1", 1)
    await asyncio.gather(take(subscription, 1), take(consumer, 1))
    before = process.memory_info().rss
    async with await writer.subscribe_to_all() as quick:
        await take(quick, 1)
        for _ in range(80):
            events = [NewEvent("Large", b"x" * 20_000) for _ in range(50)]
            await writer.append_to_stream("order-2", current_version=ANY, events=events)
            assert [event.type for event in await take(quick, 50)] == ["Large"] * 50
    assert process.memory_info().rss - before < 80_000_000
    assert len(await take(subscription, 100)) == 100
    await asyncio.gather(subscription.stop(), consumer.stop())
    await asyncio.gather(writer.close(), slow.close())


def test_synchronous_subscription(node: NodeProcess, stream: str) -> None:
    """The plain client subscribes as well, and stops when it wants."""
    with EventStoreDBClient(node.uri) as client:
        event = NewEvent("Happened", b"{}")
        client.append_to_stream(stream, current_version=ANY, events=[event])
        with client.subscribe_to_stream(stream) as subscription:
            assert next(subscription).id == event.id
            subscription.stop()
            assert list(subscription) == []
