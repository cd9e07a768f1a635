"""Appending: expected versions, idempotency, deletes; as EventStoreDB's IndexWriter decides."""

import json

import pytest
from esdbclient import AsyncEventStoreDBClient, EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import (
    FailedPrecondition,
    MaximumAppendSizeExceededError,
    NotFound,
    StreamIsDeleted,
    WrongCurrentVersion,
)

from embedded_eventstoredb import NodeProcess

ANY, NO_STREAM, EXISTS = StreamState.ANY, StreamState.NO_STREAM, StreamState.EXISTS
Client = AsyncEventStoreDBClient


def events(count: int = 1) -> list[NewEvent]:
    return [NewEvent("Happened", b'{"number": %d}' % number) for number in range(count)]


async def versions(client: Client, stream: str) -> list[int]:
    return [event.stream_position for event in await client.get_stream(stream)]


async def test_versions_count_from_zero(client: Client, stream: str) -> None:
    """The first event of a stream has version 0, and each next one more."""
    await client.append_to_stream(stream, current_version=NO_STREAM, events=events(2))
    await client.append_to_stream(stream, current_version=1, events=events(1))
    assert await versions(client, stream) == [0, 1, 2]


async def test_append_answers_position(client: Client, stream: str) -> None:
    """An append answers with the position of the last event it wrote."""
    position = await client.append_to_stream(stream, current_version=ANY, events=events(3))
    assert (await client.get_stream(stream))[-1].commit_position == position


@pytest.mark.parametrize("expected", [0, 4, 6, NO_STREAM])
async def test_conflict(client: Client, stream: str, expected: int | StreamState) -> None:
    """An append at another version than the stream's changes nothing and returns the stream's
    version.
    """
    await client.append_to_stream(stream, current_version=ANY, events=events(6))
    with pytest.raises(WrongCurrentVersion, match="is 5 not"):
        await client.append_to_stream(stream, current_version=expected, events=events())
    assert len(await versions(client, stream)) == 6


@pytest.mark.parametrize("expected", [0, EXISTS])
async def test_missing_stream(client: Client, stream: str, expected: int | StreamState) -> None:
    """A stream that is expected to exist, and does not, is a conflict with no stream."""
    with pytest.raises(WrongCurrentVersion, match="does not exist"):
        await client.append_to_stream(stream, current_version=expected, events=events())


async def test_metadata_makes_a_stream_exist(client: Client, stream: str) -> None:
    """A stream that has metadata, though no events, counts as existing."""
    await client.set_stream_metadata(stream, metadata={"$maxCount": 5}, current_version=ANY)
    await client.append_to_stream(stream, current_version=EXISTS, events=events())
    assert await versions(client, stream) == [0]


@pytest.mark.parametrize("expected", [NO_STREAM, ANY, EXISTS])
async def test_repeated_append(client: Client, stream: str, expected: StreamState) -> None:
    """The same append again writes nothing and gives the first one's answer."""
    batch = events(3)
    first = await client.append_to_stream(stream, current_version=NO_STREAM, events=batch)
    await client.append_to_stream(stream, current_version=ANY, events=events())
    again = await client.append_to_stream(stream, current_version=expected, events=batch)
    assert again == first
    assert await versions(client, stream) == [0, 1, 2, 3]


async def test_repeated_at_version(client: Client, stream: str) -> None:
    """An append at a version, repeated after others came, is recognised where it stands."""
    batch = events(2)
    await client.append_to_stream(stream, current_version=NO_STREAM, events=events(1))
    first = await client.append_to_stream(stream, current_version=0, events=batch)
    await client.append_to_stream(stream, current_version=2, events=events(1))
    assert await client.append_to_stream(stream, current_version=0, events=batch) == first
    assert len(await versions(client, stream)) == 4


@pytest.mark.parametrize("expected", [NO_STREAM, ANY])
async def test_half_repeated(client: Client, stream: str, expected: StreamState) -> None:
    """An append of which only the first events were written before is a conflict."""
    batch = events(2)
    await client.append_to_stream(stream, current_version=NO_STREAM, events=batch)
    with pytest.raises(WrongCurrentVersion):
        await client.append_to_stream(stream, current_version=expected, events=[*batch, *events(1)])
    assert len(await versions(client, stream)) == 2


async def test_same_id_at_current_version(client: Client, stream: str) -> None:
    """At exactly the current version ids are not looked at: the event is written again."""
    batch = events(1)
    await client.append_to_stream(stream, current_version=NO_STREAM, events=batch)
    await client.append_to_stream(stream, current_version=0, events=batch)
    assert await versions(client, stream) == [0, 1]


async def test_same_id_elsewhere(client: Client, stream: str) -> None:
    """An id is remembered for its stream only."""
    batch = events(1)
    for name in (stream, f"{stream}-b"):
        await client.append_to_stream(name, current_version=ANY, events=batch)
    assert await versions(client, f"{stream}-b") == [0]


async def test_too_large(client: Client, stream: str) -> None:
    """An append of more than 1 MiB is refused whole, and the limit is named."""
    half = NewEvent("Happened", b"x" * (512 * 1024))
    with pytest.raises(MaximumAppendSizeExceededError, match="1048576"):
        await client.append_to_stream(
            stream, current_version=ANY, events=[half, NewEvent("Happened", half.data + b"x")]
        )
    with pytest.raises(NotFound):
        await client.get_stream(stream)


async def test_soft_delete_hides(client: Client, stream: str) -> None:
    """A deleted stream is not found, and no longer exists for an append that expects it to."""
    await client.append_to_stream(stream, current_version=ANY, events=events(2))
    await client.delete_stream(stream, current_version=1)
    with pytest.raises(NotFound):
        await client.get_stream(stream)
    with pytest.raises(StreamIsDeleted):
        await client.append_to_stream(stream, current_version=EXISTS, events=events())


@pytest.mark.parametrize("expected", [NO_STREAM, ANY, 1])
async def test_recreated(client: Client, stream: str, expected: int | StreamState) -> None:
    """A deleted stream that is written again goes on counting, and shows only the new events."""
    await client.append_to_stream(stream, current_version=ANY, events=events(2))
    await client.delete_stream(stream, current_version=ANY)
    await client.append_to_stream(stream, current_version=expected, events=events(2))
    assert await versions(client, stream) == [2, 3]
    assert (await client.get_stream_metadata(stream))[0] == {"$tb": 2}


async def test_metadata_recreates(client: Client, stream: str) -> None:
    """Metadata that is set on a deleted stream is kept, with what was deleted cut off."""
    await client.append_to_stream(stream, current_version=ANY, events=events(2))
    await client.delete_stream(stream, current_version=ANY)
    await client.set_stream_metadata(stream, metadata={"owner": "us"}, current_version=ANY)
    assert (await client.get_stream_metadata(stream))[0] == {"owner": "us", "$tb": 2}
    await client.append_to_stream(stream, current_version=1, events=events(1))
    assert await versions(client, stream) == [2]


async def test_delete_what_is_not_there(client: Client, stream: str) -> None:
    """A stream that was never written cannot be deleted."""
    with pytest.raises(NotFound):
        await client.delete_stream(stream, current_version=ANY)


async def test_delete_conflict(client: Client, stream: str) -> None:
    """A delete at another version than the stream's is a conflict."""
    await client.append_to_stream(stream, current_version=ANY, events=events(2))
    with pytest.raises(WrongCurrentVersion):
        await client.delete_stream(stream, current_version=0)
    assert await versions(client, stream) == [0, 1]


async def test_delete_again(client: Client, stream: str) -> None:
    """Deleting twice is not an error, unless the stream was expected to exist."""
    await client.append_to_stream(stream, current_version=ANY, events=events())
    await client.delete_stream(stream, current_version=ANY)
    await client.delete_stream(stream, current_version=ANY)
    with pytest.raises(StreamIsDeleted):
        await client.delete_stream(stream, current_version=EXISTS)


@pytest.mark.parametrize("written", [True, False])
async def test_tombstone(client: Client, stream: str, written: bool) -> None:
    """A tombstoned stream is neither read nor written nor deleted again, written before or not."""
    if written:
        await client.append_to_stream(stream, current_version=ANY, events=events())
    await client.tombstone_stream(stream, current_version=ANY)
    with pytest.raises(StreamIsDeleted):
        await client.get_stream(stream)
    with pytest.raises(StreamIsDeleted):
        await client.append_to_stream(stream, current_version=ANY, events=events())
    with pytest.raises(StreamIsDeleted):
        await client.delete_stream(stream, current_version=ANY)


async def test_tombstoned_metadata(client: Client, stream: str) -> None:
    """The metadata of a tombstoned stream is neither read nor set, nor deleted."""
    await client.tombstone_stream(stream, current_version=ANY)
    with pytest.raises(StreamIsDeleted):
        await client.set_stream_metadata(stream, metadata={"a": 1}, current_version=ANY)
    with pytest.raises(StreamIsDeleted):
        await client.delete_stream(f"$${stream}", current_version=ANY)
    with pytest.raises(StreamIsDeleted):
        await client.get_stream_metadata(stream)


async def test_tombstoned_metadata_that_the_writer_remembers(client: Client, stream: str) -> None:
    """Metadata that was set before, by the same process, can be set again, and is not read."""
    await client.set_stream_metadata(stream, metadata={"a": 1}, current_version=ANY)
    await client.tombstone_stream(stream, current_version=ANY)
    await client.set_stream_metadata(stream, metadata={"a": 2}, current_version=ANY)
    with pytest.raises(StreamIsDeleted):
        await client.get_stream_metadata(stream)


async def test_metadata_of_the_node_is_compact(client: Client, stream: str) -> None:
    """JSON that the node writes has no blanks, and text in it stays as it is."""
    await client.append_to_stream(stream, current_version=ANY, events=events())
    await client.delete_stream(stream, current_version=ANY)
    await client.set_stream_metadata(stream, metadata={"owner": "Zoë"}, current_version=ANY)
    written = [event.data async for event in await client.read_stream(f"$${stream}")]
    assert json.loads(written[0]) == {"owner": "Zoë", "$tb": 1}
    assert written[0] == '{"owner":"Zoë","$tb":1}'.encode()


async def test_same_id_twice_in_one(client: Client, stream: str) -> None:
    """An id that stands twice in an append is written twice; repeated, it stands for the first."""
    (event,) = events()
    await client.append_to_stream(stream, current_version=ANY, events=[event, event])
    again = await client.append_to_stream(stream, current_version=ANY, events=[event, event])
    assert await versions(client, stream) == [0, 1]
    assert again == (await client.get_stream(stream))[0].commit_position


def test_synchronous_client(node: NodeProcess, stream: str) -> None:
    """The plain client's single append, which is another call, keeps the same rules."""
    (event,) = events(1)
    with EventStoreDBClient(node.uri) as client:
        first = client.append_event(stream, current_version=NO_STREAM, event=event)
        assert client.append_event(stream, current_version=ANY, event=event) == first
        assert client.get_current_version(stream) == 0
        with pytest.raises(WrongCurrentVersion, match="is 0 not 3"):
            client.append_event(stream, current_version=3, event=events(1)[0])
        with pytest.raises(WrongCurrentVersion, match="does not exist"):
            client.append_event(f"{stream}-x", current_version=3, event=events(1)[0])
        client.tombstone_stream(stream, current_version=0)
        with pytest.raises(FailedPrecondition, match="is deleted"):
            client.append_event(stream, current_version=ANY, event=events(1)[0])
