"""A consumer group on the links of a category, ``$ce-…``, with the events they lead to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from uuid import uuid4

import grpc
import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.protos.Grpc import persistent_pb2

from consumer import Consumer
from embedded_eventstoredb import NodeProcess
from groups import append, group_info, info, parked_stream, texts
from waiting import PATIENCE, eventually

SOON = 0.1
Requests = SimpleQueue[persistent_pb2.ReadReq | None]


@pytest.fixture
def category() -> str:
    """A category that no other test writes to."""
    return uuid4().hex


@pytest.fixture
def links(category: str) -> str:
    return f"$ce-{category}"


@pytest.fixture
def consumer(sync_client: EventStoreDBClient, links: str, group: str) -> Iterator[Consumer]:
    """A consumer of a group that was made before anything was in its category."""
    sync_client.create_subscription_to_stream(group, links, resolve_links=True)
    with Consumer(sync_client, group, links) as consumer:
        yield consumer


def test_a_category_that_is_not_there_yet(
    sync_client: EventStoreDBClient, consumer: Consumer, category: str, links: str, group: str
) -> None:
    """A group made before its category gets all of it, in order, whichever stream it is in."""
    for number, text in enumerate("abcdef"):
        append(sync_client, f"{category}-{number % 2}", text)
    events = consumer.take(6)
    assert texts([event.data for event in events]) == "abcdef"
    assert [event.link.stream_position for event in events if event.link] == list(range(6))
    consumer.ack(events)
    eventually(lambda: info(sync_client, group, links).total_in_flight_messages, 0)


def test_answers_to_events_of_a_category(
    sync_client: EventStoreDBClient, consumer: Consumer, category: str, links: str, group: str
) -> None:
    """Retried events come again, skipped ones do not, parked ones are parked as the event itself.

    A replay brings what was parked, with the original event and no retries.
    """
    for number, text in enumerate("abc"):
        append(sync_client, f"{category}-{number}", text)
    retried, skipped, parked = consumer.take(3)
    consumer.nack([retried], "retry")
    consumer.nack([skipped], "skip")
    consumer.nack([parked], "park")
    (again,) = consumer.take(1)
    assert (again.data, again.retry_count, again.stream_name) == (b"a", 1, f"{category}-0")
    consumer.ack([again])
    eventually(lambda: info(sync_client, group, links).parked_message_count, 1)
    (stored,) = sync_client.get_stream(parked_stream(links, group))
    assert (stored.type, stored.data) == ("$>", f"0@{category}-2".encode())
    assert json.loads(stored.metadata)["subscriptionEventNumber"] == 2
    sync_client.replay_parked_events(group, links)
    (replayed,) = consumer.take(1)
    assert (replayed.data, replayed.stream_name, replayed.retry_count) == (
        b"c",
        f"{category}-2",
        0,
    )
    assert replayed.link is not None
    assert replayed.link.id == stored.id
    consumer.ack([replayed])
    eventually(lambda: info(sync_client, group, links).total_in_flight_messages, 0)


def test_an_event_of_a_category_that_is_not_answered(
    sync_client: EventStoreDBClient, category: str, links: str, group: str
) -> None:
    """Its time-outs are counted and it is parked after them, as in any group."""
    sync_client.create_subscription_to_stream(
        group, links, resolve_links=True, message_timeout=SOON, max_retry_count=1
    )
    append(sync_client, f"{category}-1", "a")
    with Consumer(sync_client, group, links) as consumer:
        assert [event.retry_count for event in consumer.take(2)] == [0, 1]
        eventually(lambda: info(sync_client, group, links).parked_message_count, 1)
    (stored,) = sync_client.get_stream(parked_stream(links, group))
    assert stored.data == f"0@{category}-1".encode()


def test_a_stream_of_a_category_is_deleted(
    sync_client: EventStoreDBClient, consumer: Consumer, category: str
) -> None:
    """Its deletion is an event of the category, ``$metadata``, which is not the stream's own."""
    append(sync_client, f"{category}-1", "a")
    consumer.take_and_ack()
    sync_client.delete_stream(f"{category}-1", current_version=0)
    deletion = consumer.take_and_ack()
    assert (deletion.type, deletion.stream_name) == ("$metadata", f"$${category}-1")
    append(sync_client, f"{category}-2", "b")
    assert texts(consumer.take_data(1)) == "b"


@pytest.mark.parametrize("how", ["deleted", "truncated"])
def test_links_that_lead_nowhere(
    node: NodeProcess,
    sync_client: EventStoreDBClient,
    category: str,
    links: str,
    group: str,
    how: str,
) -> None:
    """A link to an event that is deleted or truncated comes alone, to be answered by its id."""
    append(sync_client, f"{category}-1", "a", "b")
    if how == "deleted":
        sync_client.delete_stream(f"{category}-1", current_version=1)
    else:
        sync_client.set_stream_metadata(f"{category}-1", metadata={"$tb": 1})
    sync_client.create_subscription_to_stream(group, links, resolve_links=True)
    sent: Requests = SimpleQueue()
    with reading(node, sent, group, links) as received:
        assert next(received).WhichOneof("content") == "subscription_confirmation"
        alone = next(received).event
        assert not alone.HasField("event")
        assert alone.link.data == f"0@{category}-1".encode()
        ack = persistent_pb2.ReadReq.Ack(ids=[alone.link.id])
        sent.put(persistent_pb2.ReadReq(ack=ack))
        assert next(received).event.HasField("event") == (how == "truncated")
        eventually(lambda: one_is_answered(node, group, links), True)


def one_is_answered(node: NodeProcess, group: str, stream: str) -> bool:
    """Whether of all that was sent exactly one is answered."""
    told = group_info(node, group, stream)
    return told.total_in_flight_messages == told.total_items - 1


@contextmanager
def reading(
    node: NodeProcess, sent: Requests, group: str, stream: str
) -> Iterator[Iterator[persistent_pb2.ReadResp]]:
    """A Read by the wire alone: esdbclient hands out no link without an event."""
    options = persistent_pb2.ReadReq.Options(group_name=group, buffer_size=10)
    options.stream_identifier.stream_name = stream.encode()
    options.uuid_option.string.SetInParent()
    sent.put(persistent_pb2.ReadReq(options=options))
    address = node.uri.removeprefix("esdb://").partition("?")[0]
    with grpc.insecure_channel(address) as channel:
        stub = channel.stream_stream(
            "/event_store.client.persistent_subscriptions.PersistentSubscriptions/Read",
            request_serializer=persistent_pb2.ReadReq.SerializeToString,
            response_deserializer=persistent_pb2.ReadResp.FromString,
        )
        yield iter(stub(iter(sent.get, None), timeout=PATIENCE))
        sent.put(None)


def test_the_same_event_id_in_two_streams(
    sync_client: EventStoreDBClient, consumer: Consumer, category: str
) -> None:
    """Events of a category may share an id: their links, which are answered, do not."""
    event = NewEvent("Happened", b'"twin"')
    for number in range(2):
        sync_client.append_to_stream(
            f"{category}-{number}", current_version=StreamState.NO_STREAM, events=[event]
        )
    first, second = consumer.take(2)
    assert first.link is not None
    assert second.link is not None
    assert first.link.id != second.link.id
    consumer.ack([first, second])
