"""What a consumer group of the embedded node delivers, and what becomes of an answer."""

import asyncio
import json
from collections.abc import Callable
from typing import Literal
from uuid import uuid4

import grpc
import pytest
from esdbclient import AsyncEventStoreDBClient, EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import EventStoreDBClientException
from esdbclient.protos.Grpc import persistent_pb2

from consumer import Consumer
from embedded_eventstoredb import NodeProcess
from groups import (
    append,
    call,
    creation_on_all,
    info,
    parked_stream,
    texts,
)
from waiting import PATIENCE, eventually, until_true

Fresh = Callable[[str], str]
SOON = 2.0  # a message timeout that a test can wait for, and longer than an ack is on its way


def test_from_the_start_and_then_live(
    sync_client: EventStoreDBClient, stream: str, group: str
) -> None:
    """A group gets what the stream held before, and then what is appended, in order."""
    append(sync_client, stream, "a", "b")
    sync_client.create_subscription_to_stream(group, stream)
    with Consumer(sync_client, group, stream) as consumer:
        assert texts(consumer.take_data(2)) == "ab"
        append(sync_client, stream, "c")
        assert texts(consumer.take_data(1)) == "c"


def test_from_the_end(sync_client: EventStoreDBClient, stream: str, group: str) -> None:
    """A group from the end gets only what is appended after its creation, consumers or not."""
    append(sync_client, stream, "a")
    sync_client.create_subscription_to_stream(group, stream, from_end=True)
    append(sync_client, stream, "b")
    with Consumer(sync_client, group, stream) as consumer:
        assert texts(consumer.take_data(1)) == "b"


def test_from_a_version(sync_client: EventStoreDBClient, stream: str, group: str) -> None:
    """A group from a version gets that event first."""
    append(sync_client, stream, "a", "b", "c")
    sync_client.create_subscription_to_stream(group, stream, stream_position=1)
    with Consumer(sync_client, group, stream) as consumer:
        assert texts(consumer.take_data(2)) == "bc"


@pytest.mark.parametrize("version", [2**63, 2**64 - 2])
def test_no_group_begins_at_a_number_that_is_no_version(
    sync_client: EventStoreDBClient, stream: str, group: str, version: int
) -> None:
    """What no read takes for a version, no group does; the largest number is the end."""
    with pytest.raises(EventStoreDBClientException, match="Exception was thrown by handler"):
        sync_client.create_subscription_to_stream(group, stream, stream_position=version)
    sync_client.create_subscription_to_stream(group, stream, stream_position=2**64 - 1)
    assert info(sync_client, group, stream).start_from == "-1"


@pytest.mark.parametrize(("commit", "prepare"), [(2**63, 2**63), (0, 5), (2**64 - 1, 5)])
def test_no_group_begins_at_numbers_that_are_no_position(
    node: NodeProcess, group: str, commit: int, prepare: int
) -> None:
    """What no read of ``$all`` takes for a position, no group on it does."""
    with pytest.raises(grpc.RpcError, match="Exception was thrown by handler"):
        call(node, "Create", creation_on_all(group, commit, prepare), persistent_pb2.CreateResp)


def test_all_with_a_filter(sync_client: EventStoreDBClient, stream: str, group: str) -> None:
    """A group on ``$all`` gets the events that its filter lets through, and from its position."""
    append(sync_client, stream, "a")
    position = sync_client.append_to_stream(
        stream, current_version=StreamState.ANY, events=[NewEvent("Wanted", b"b")]
    )
    append(sync_client, stream, "c")
    sync_client.create_subscription_to_all(
        group,
        commit_position=position,
        filter_include=[stream],
        filter_by_stream_name=True,
    )
    with Consumer(sync_client, group) as consumer:
        events = consumer.take(2)
        assert [event.data for event in events] == [b"b", b"c"]
        assert events[0].commit_position == position
        assert events[0].stream_name == stream


def test_all_hides_the_groups_own_records(group: str) -> None:
    """A group on ``$all`` is not fed with its checkpoints, which would make it write more."""
    with NodeProcess(projections=False) as node, EventStoreDBClient(node.uri) as client:
        client.create_subscription_to_all(group, min_checkpoint_count=1, max_checkpoint_count=1)
        checkpoints = f"$persistentsubscription-$all::{group}-checkpoint"
        with Consumer(client, group) as consumer:
            for number in range(20):
                text = str(number)
                append(client, "plain", text)
                while consumer.take_and_ack().data != text.encode():
                    pass
            eventually(lambda: info(client, group).total_in_flight_messages, 0)
        shown = list(client.read_all(filter_exclude=()))
        *_, last = client.get_stream(checkpoints)
        assert checkpoints not in {event.stream_name for event in shown}
        assert last.stream_position < len(shown)


def test_links_are_resolved(sync_client: EventStoreDBClient, group: str) -> None:
    """With resolve_links a consumer gets the event and its link, and answers the link."""
    category = uuid4().hex
    append(sync_client, f"{category}-1", "a")
    sync_client.create_subscription_to_stream(group, f"$ce-{category}", resolve_links=True)
    with Consumer(sync_client, group, f"$ce-{category}") as consumer:
        (event,) = consumer.take(1)
        assert (event.data, event.stream_name) == (b"a", f"{category}-1")
        assert event.link is not None
        assert (event.link.stream_name, event.link.data) == (
            f"$ce-{category}",
            f"0@{category}-1".encode(),
        )
        assert event.commit_position == event.link.commit_position
        consumer.nack([event], "retry")
        (again,) = consumer.take(1)
        assert (again.data, again.retry_count) == (b"a", 1)
        consumer.ack([again])
        eventually(lambda: info(sync_client, group, f"$ce-{category}").total_in_flight_messages, 0)


def test_an_acknowledged_event_does_not_come_back(
    sync_client: EventStoreDBClient, stream: str, group: str
) -> None:
    """Of two events that time out, only the one without an ack is delivered again."""
    append(sync_client, stream, "a", "b")
    sync_client.create_subscription_to_stream(group, stream, message_timeout=SOON)
    with Consumer(sync_client, group, stream) as consumer:
        acknowledged, unanswered = consumer.take(2)
        consumer.ack([acknowledged])
        for retry in (1, 2):
            (again,) = consumer.take(1)
            assert (again.id, again.retry_count) == (unanswered.id, retry)


async def test_an_ack_need_not_name_its_subscription(
    client: AsyncEventStoreDBClient, sync_client: EventStoreDBClient, stream: str, group: str
) -> None:
    """An ack is about the call it comes on: esdbclient's asyncio client names no subscription."""
    append(sync_client, stream, "a")
    await client.create_subscription_to_stream(group, stream)
    subscription = await client.read_subscription_to_stream(group, stream, max_ack_delay=0.01)
    async with asyncio.timeout(PATIENCE):
        await subscription.ack(await anext(subscription))

        async def is_done() -> bool:
            told = await client.get_subscription_info(group, stream)
            return told.total_in_flight_messages == 0

        await until_true(is_done)
        append(sync_client, stream, "b")
        assert (await anext(subscription)).data == b"b"
        await subscription.stop()


@pytest.mark.parametrize("action", ["retry", "unknown"])
def test_nack_to_retry(
    sync_client: EventStoreDBClient, stream: str, group: str, action: Literal["retry", "unknown"]
) -> None:
    """An event that is nacked to be retried comes back at once, before later events."""
    append(sync_client, stream, "a", "b", "c")
    sync_client.create_subscription_to_stream(group, stream)
    with Consumer(sync_client, group, stream, slots=2) as consumer:
        first, second = consumer.take(2)
        consumer.nack([first], action)
        (again,) = consumer.take(1)
        assert (again.id, again.retry_count) == (first.id, 1)
        consumer.ack([again, second])
        assert texts(consumer.take_data(1)) == "c"


@pytest.mark.parametrize("action", ["skip", "stop"])
def test_nack_to_skip(
    sync_client: EventStoreDBClient, stream: str, group: str, action: Literal["skip", "stop"]
) -> None:
    """An event that is nacked to be skipped is done; so it is with stop, as in the server."""
    append(sync_client, stream, "a", "b")
    sync_client.create_subscription_to_stream(group, stream)
    with Consumer(sync_client, group, stream) as consumer:
        first, second = consumer.take(2)
        consumer.nack([first], action)
        eventually(lambda: info(sync_client, group, stream).total_in_flight_messages, 1)
        consumer.nack([second], "retry")
        assert texts(consumer.take_data(1)) == "b"
        append(sync_client, stream, "c")
        assert texts(consumer.take_data(1)) == "c"


def test_park_and_replay(sync_client: EventStoreDBClient, stream: str, group: str) -> None:
    """A parked event is kept with its reason, comes back on replay, and is gone when it is done."""
    append(sync_client, stream, "a", "b")
    sync_client.create_subscription_to_stream(group, stream)
    with Consumer(sync_client, group, stream) as consumer:
        first, second = consumer.take(2)
        consumer.nack([second], "park")
        eventually(lambda: info(sync_client, group, stream).parked_message_count, 1)
        (link,) = sync_client.get_stream(parked_stream(stream, group))
        assert (link.type, link.data) == ("$>", f"1@{stream}".encode())
        metadata = json.loads(link.metadata)
        assert metadata["reason"].startswith("Client explicitly NAK'ed message.")
        assert metadata["subscriptionEventNumber"] == 1
        assert "added" in metadata
        sync_client.replay_parked_events(group, stream)
        (again,) = consumer.take(1)
        assert (again.id, again.retry_count) == (second.id, 0)
        assert again.link is not None
        assert again.link.stream_name == parked_stream(stream, group)
        assert info(sync_client, group, stream).parked_message_count == 0
        consumer.ack([first, again])
        eventually(lambda: len(sync_client.get_stream(parked_stream(stream, group))), 0)
        sync_client.replay_parked_events(group, stream)
        append(sync_client, stream, "c")
        assert texts(consumer.take_data(1)) == "c"


def test_what_is_not_answered_is_parked(
    sync_client: EventStoreDBClient, stream: str, group: str
) -> None:
    """An event that is never answered is parked after its retries, with the number as reason."""
    append(sync_client, stream, "a")
    sync_client.create_subscription_to_stream(group, stream, message_timeout=0.1, max_retry_count=2)
    with Consumer(sync_client, group, stream) as consumer:
        assert [event.retry_count for event in consumer.take(3)] == [0, 1, 2]
        eventually(lambda: info(sync_client, group, stream).parked_message_count, 1)
    (link,) = sync_client.get_stream(parked_stream(stream, group))
    assert json.loads(link.metadata)["reason"] == "Reached retry count of 2"
