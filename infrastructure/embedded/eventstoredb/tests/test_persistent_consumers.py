"""How consumers of one group share its events, and what each may hold."""

import json
from collections.abc import Callable
from uuid import uuid4

import pytest
from esdbclient import EventStoreDBClient
from esdbclient.exceptions import (
    MaximumSubscriptionsReached,
)
from esdbclient.protos.Grpc import persistent_pb2

from consumer import Consumer
from embedded_eventstoredb import NodeProcess
from groups import append, call, creation, info, texts
from waiting import eventually

Fresh = Callable[[str], str]


def test_consumers_compete(sync_client: EventStoreDBClient, stream: str, group: str) -> None:
    """Each event goes to one of the consumers."""
    sync_client.create_subscription_to_stream(group, stream, consumer_strategy="RoundRobin")
    with Consumer(sync_client, group, stream) as one, Consumer(sync_client, group, stream) as other:
        append(sync_client, stream, *"abcdef")
        shares = texts(one.take_data(3)), texts(other.take_data(3))
        assert sorted("".join(shares)) == list("abcdef")
        assert {"".join(sorted(share)) for share in shares} == {"ace", "bdf"}


def test_one_consumer_first(sync_client: EventStoreDBClient, stream: str, group: str) -> None:
    """DispatchToSingle gives the second consumer only what the first has no room for."""
    sync_client.create_subscription_to_stream(group, stream, consumer_strategy="DispatchToSingle")
    with (
        Consumer(sync_client, group, stream, slots=3) as one,
        Consumer(sync_client, group, stream, slots=3) as other,
    ):
        append(sync_client, stream, *"abcd")
        assert {texts(one.take_data(1)) for _ in range(3)} == set("abc")
        assert texts(other.take_data(1)) == "d"


def test_pinned_by_stream(sync_client: EventStoreDBClient, group: str) -> None:
    """Pinned gives all events of one stream to one consumer."""
    category = uuid4().hex
    sync_client.create_subscription_to_stream(
        group, f"$ce-{category}", resolve_links=True, consumer_strategy="Pinned"
    )
    source = f"$ce-{category}"
    with Consumer(sync_client, group, source) as one, Consumer(sync_client, group, source) as other:
        for number in range(10):
            append(sync_client, f"{category}-{number}", "a", "b", "c")
        eventually(lambda: one.waiting + other.waiting, 30)
        shares = [one.take(one.waiting), other.take(other.waiting)]
    streams = [{event.stream_name for event in share} for share in shares]
    assert streams[0] & streams[1] == set()
    assert [len(share) for share in shares] == [3 * len(names) for names in streams]
    assert all(streams)


def test_pinned_by_correlation(
    node: NodeProcess, sync_client: EventStoreDBClient, stream: str, group: str
) -> None:
    """PinnedByCorrelation gives all events of one correlation to one consumer."""
    create = creation(stream, group, "PinnedByCorrelation")
    call(node, "Create", create, persistent_pb2.CreateResp)
    with Consumer(sync_client, group, stream) as one, Consumer(sync_client, group, stream) as other:
        for number in range(10):
            metadata = json.dumps({"$correlationId": str(number)}).encode()
            append(sync_client, stream, *"abc", metadata=metadata)
        eventually(lambda: one.waiting + other.waiting, 30)
        shares = [one.take(one.waiting), other.take(other.waiting)]
    correlations = [{event.metadata for event in share} for share in shares]
    assert correlations[0] & correlations[1] == set()
    assert all(correlations)


def test_what_a_lost_consumer_held_goes_on(
    sync_client: EventStoreDBClient, stream: str, group: str
) -> None:
    """When a consumer leaves, another one gets what it had not answered."""
    append(sync_client, stream, "a", "b")
    sync_client.create_subscription_to_stream(group, stream)
    with Consumer(sync_client, group, stream) as lost:
        first, second = lost.take(2)
        lost.ack([first])
        eventually(lambda: info(sync_client, group, stream).total_in_flight_messages, 1)
    with Consumer(sync_client, group, stream) as stays:
        (event,) = stays.take(1)
        assert (event.id, event.retry_count) == (second.id, 1)


def test_a_consumer_holds_no_more_than_its_buffer(
    sync_client: EventStoreDBClient, stream: str, group: str
) -> None:
    """A consumer that answers nothing holds what fits its buffer; the rest goes to the others."""
    append(sync_client, stream, *(str(number) for number in range(300)))
    sync_client.create_subscription_to_stream(group, stream, consumer_strategy="RoundRobin")
    with (
        Consumer(sync_client, group, stream, slots=5) as slow,
        Consumer(sync_client, group, stream, slots=20) as quick,
    ):
        for _ in range(295):
            quick.take_and_ack()
        eventually(lambda: slow.waiting, 5)
        assert info(sync_client, group, stream).total_in_flight_messages >= 5


def test_a_group_can_be_full(sync_client: EventStoreDBClient, stream: str, group: str) -> None:
    """More consumers than ``max_subscriber_count`` are refused."""
    sync_client.create_subscription_to_stream(group, stream, max_subscriber_count=1)
    with Consumer(sync_client, group, stream), pytest.raises(MaximumSubscriptionsReached):
        Consumer(sync_client, group, stream)
