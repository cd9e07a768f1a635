"""Reading streams and ``$all``: order, limits, metadata, truncation, links, filters."""

import time
from collections.abc import Callable, Sequence

import pytest
from esdbclient import AsyncEventStoreDBClient, EventStoreDBClient, NewEvent, StreamState
from esdbclient.events import RecordedEvent
from esdbclient.exceptions import GrpcError, NotFound

from embedded_eventstoredb import NodeProcess

ANY = StreamState.ANY
Client = AsyncEventStoreDBClient


async def append(client: Client, stream: str, count: int, kind: str = "Happened") -> int:
    events = [NewEvent(kind, b"%d" % number) for number in range(count)]
    return await client.append_to_stream(stream, current_version=ANY, events=events)


def numbers(events: Sequence[RecordedEvent]) -> list[int]:
    return [event.stream_position for event in events]


async def test_an_event_comes_back_as_it_was(client: Client, stream: str) -> None:
    """Id, type, data, metadata and content type come back, with the time of recording."""
    event = NewEvent("Happened", b"\x00\xff", b'{"a": 1}', content_type="application/octet-stream")
    before = time.time()
    await client.append_to_stream(stream, current_version=ANY, events=[event])
    (read,) = await client.get_stream(stream)
    assert (read.id, read.type, read.data, read.metadata, read.content_type) == (
        event.id, "Happened", b"\x00\xff", b'{"a": 1}', "application/octet-stream",
    )  # fmt: skip  # one event on one line
    assert read.recorded_at is not None
    assert before <= read.recorded_at.timestamp() + 0.001 <= time.time() + 0.001


async def test_other_content_types(client: Client, stream: str) -> None:
    """A content type that is not JSON reads back as octet-stream."""
    event = NewEvent("Happened", b"x", content_type="text/plain")  # type: ignore[arg-type]  # a wrong one, on purpose
    await client.append_to_stream(stream, current_version=ANY, events=[event])
    assert (await client.get_stream(stream))[0].content_type == "application/octet-stream"


async def test_forwards_and_backwards(client: Client, stream: str) -> None:
    """A read begins at a version, that one included, and goes either way to its limit."""
    await append(client, stream, 600)
    read = client.get_stream
    assert numbers(await read(stream)) == list(range(600))
    assert numbers(await read(stream, backwards=True)) == list(range(599, -1, -1))
    assert numbers(await read(stream, stream_position=597)) == [597, 598, 599]
    assert numbers(await read(stream, stream_position=2, backwards=True)) == [2, 1, 0]
    assert numbers(await read(stream, stream_position=300, limit=2)) == [300, 301]
    assert numbers(await read(stream, backwards=True, limit=1)) == [599]


async def test_past_the_end(client: Client, stream: str) -> None:
    """Reading from beyond the last event finds nothing, which is not an error."""
    await append(client, stream, 2)
    assert await client.get_stream(stream, stream_position=7) == ()


async def test_unknown_stream(client: Client, stream: str) -> None:
    """A stream that was never written is not found."""
    with pytest.raises(NotFound):
        await client.get_stream(stream)


@pytest.mark.parametrize(
    ("metadata", "left"),
    [
        ({"$maxCount": 2}, [3, 4]),
        ({"$tb": 4}, [4]),
        ({"$maxCount": 2, "$tb": 1}, [3, 4]),
        ({"$tb": 9}, []),
        ({"$maxCount": "many"}, [0, 1, 2, 3, 4]),
        ({"$maxAge": 3600}, [0, 1, 2, 3, 4]),
    ],
)
async def test_truncation(
    client: Client, stream: str, metadata: dict[str, object], left: list[int]
) -> None:
    """$maxCount and $tb hide older events in either direction; broken limits hide none."""
    await append(client, stream, 5)
    await client.set_stream_metadata(stream, metadata=metadata, current_version=ANY)
    assert numbers(await client.get_stream(stream)) == left
    assert numbers(await client.get_stream(stream, backwards=True)) == left[::-1]


async def test_max_age(client: Client, stream: str) -> None:
    """Events older than $maxAge seconds are hidden."""
    await append(client, stream, 1)
    await client.set_stream_metadata(stream, metadata={"$maxAge": 1}, current_version=ANY)
    deadline = time.monotonic() + 10
    while await client.get_stream(stream):
        assert time.monotonic() < deadline
    appended = time.monotonic()
    await append(client, stream, 1)
    shown = numbers(await client.get_stream(stream))
    assert shown == [1] or time.monotonic() - appended > 1, "as long as it is young it is shown"


async def test_metadata_versions(client: Client, stream: str) -> None:
    """Metadata has versions of its own, and only the newest is read."""
    for number in range(3):
        await client.set_stream_metadata(stream, metadata={"n": number}, current_version=ANY)
    assert await client.get_stream_metadata(stream) == ({"n": 2}, 2)
    assert numbers(await client.get_stream(f"$${stream}")) == [2]


async def test_links(client: Client, stream: str) -> None:
    """A link that is resolved is its target with the link beside it; a dead one gives no event."""
    await append(client, stream, 2)
    links = [
        NewEvent("$>", f"{number}@{stream}".encode(), content_type="application/octet-stream")
        for number in (1, 5)
    ]
    await client.append_to_stream(f"{stream}-links", current_version=ANY, events=links)
    (resolved,) = await client.get_stream(f"{stream}-links", resolve_links=True)
    assert (resolved.stream_name, resolved.stream_position, resolved.data) == (stream, 1, b"1")
    assert resolved.link is not None
    assert resolved.link.stream_name == f"{stream}-links"
    plain = await client.get_stream(f"{stream}-links")
    assert [event.type for event in plain] == ["$>", "$>"]


async def test_all_in_order(fresh_client: Client) -> None:
    """$all holds every stream's events once, in the order of their growing positions."""
    for number in range(6):
        await append(fresh_client, f"order-{number % 2}", 100)
    events = [event async for event in await fresh_client.read_all()]
    positions = [event.commit_position or 0 for event in events]
    assert len(events) == 600
    assert positions == sorted(set(positions))
    backwards = [event async for event in await fresh_client.read_all(backwards=True)]
    assert backwards == events[::-1]


async def test_all_from_a_position(fresh_client: Client) -> None:
    """Forwards a position is included, backwards it is not."""
    await append(fresh_client, "order-1", 5)
    all_events = [event async for event in await fresh_client.read_all()]
    middle = all_events[2].commit_position
    forwards = [event async for event in await fresh_client.read_all(commit_position=middle)]
    backwards = [
        event async for event in await fresh_client.read_all(commit_position=middle, backwards=True)
    ]
    assert numbers(forwards) == [2, 3, 4]
    assert numbers(backwards) == [1, 0]


async def test_what_is_deleted_stays_in_all(fresh_client: Client) -> None:
    """$all is the raw log: truncated, deleted and tombstoned events are still there."""
    for name in ("order-1", "order-2"):
        await append(fresh_client, name, 2)
    await fresh_client.delete_stream("order-1", current_version=ANY)
    await fresh_client.tombstone_stream("order-2", current_version=ANY)
    assert len([event async for event in await fresh_client.read_all()]) == 4


async def test_system_records(fresh_client: Client) -> None:
    """Without a filter $all shows metadata, and hides what the node notes for itself.

    A node without users has none in its log.
    """
    await fresh_client.set_stream_metadata(
        "order-1", metadata={"$maxCount": 2}, current_version=ANY
    )
    read = await fresh_client.read_all(filter_exclude=())
    types = {event.type async for event in read}
    assert "$metadata" in types
    assert not {"$epoch-information", "$User", "$UserCreated"} & types


@pytest.mark.parametrize(
    ("include", "by_stream", "found"),
    [
        (("Paid",), False, ["order-1", "stock-1"]),
        (("P.*d",), False, ["order-1", "stock-1"]),
        (("order-.*",), True, ["order-1", "order-1"]),
        (("Nothing",), False, []),
    ],
)
async def test_filters(
    fresh_client: Client, include: tuple[str, ...], by_stream: bool, found: list[str]
) -> None:
    """A filter by type or stream name is applied on the server, either way, and under a limit."""
    for stream in ("order-1", "stock-1"):
        await append(fresh_client, stream, 1, "Paid")
        await append(fresh_client, stream, 1, "Sent")
    read = await fresh_client.read_all(filter_include=include, filter_by_stream_name=by_stream)
    assert [event.stream_name async for event in read] == found
    limited = await fresh_client.read_all(
        filter_include=include, filter_by_stream_name=by_stream, backwards=True, limit=1
    )
    assert [event.stream_name async for event in limited] == found[-1:]


async def test_broken_filter(client: Client) -> None:
    """A filter that is not a regular expression is refused with the reason."""
    with pytest.raises(GrpcError, match="not a regular expression"):
        [event async for event in await client.read_all(filter_include=("(",))]


def test_synchronous_reads(node: NodeProcess, fresh: Callable[[str], str]) -> None:
    """The plain client reads the same, with the last position and the gossip of one leader."""
    stream = fresh("order")
    with EventStoreDBClient(node.uri) as client:
        position = client.append_to_stream(
            stream, current_version=ANY, events=[NewEvent("Happened", b"x") for _ in range(3)]
        )
        assert client.get_commit_position() >= position
        assert numbers(client.get_stream(stream)) == [0, 1, 2]
        (member,) = client.read_gossip()
        assert (member.state, f"{member.address}:{member.port}") == (
            "NODE_STATE_LEADER",
            node.uri.removeprefix("esdb://").partition("?")[0],
        )
