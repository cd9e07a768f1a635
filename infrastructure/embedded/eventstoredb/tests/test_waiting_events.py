"""Events that wait for a consumer while none is connected, and the node restarts.

A group on ``$all`` with a filter loses them, as on the server; every other source keeps them.
"""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from esdbclient import EventStoreDBClient
from esdbclient.protos.Grpc import shared_pb2

from consumer import Consumer
from embedded_eventstoredb import NodeProcess
from groups import append, call, group_info, info, texts
from waiting import eventually

End = Callable[[NodeProcess], None]
ENDS = pytest.mark.parametrize("end", [NodeProcess.stop, NodeProcess.kill])


def create_filtered(client: EventStoreDBClient, group: str, stream: str) -> None:
    client.create_subscription_to_all(
        group,
        filter_include=[stream],
        filter_by_stream_name=True,
        min_checkpoint_count=1,
        checkpoint_after=0.01,
    )


def pass_by(client: EventStoreDBClient, group: str) -> None:
    """Other events come along, and the group writes a checkpoint."""
    before = info(client, group).last_checkpointed_event_position
    append(client, "other-1", *"xyz")
    eventually(lambda: info(client, group).last_checkpointed_event_position != before, True)


@ENDS
def test_a_filtered_group_loses_what_waits(
    tmp_path: Path, stream: str, group: str, end: End
) -> None:
    """Ten matching events without a consumer, then others, then a restart: none of the ten is
    delivered.
    """
    with NodeProcess(tmp_path, projections=False) as node, EventStoreDBClient(node.uri) as client:
        create_filtered(client, group, stream)
        append(client, stream, *"abcdefghij")
        pass_by(client, group)
        end(node)
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        append(client, stream, "later")
        with Consumer(client, group) as consumer:
            assert texts(consumer.take_data(1)) == "later"


@pytest.mark.parametrize("change", ["update", "restart"])
def test_a_change_of_a_filtered_group_loses_what_waits(
    fresh_node: NodeProcess, stream: str, group: str, change: str
) -> None:
    """An update of the group or a restart of the subsystem loses them as a restart of the node
    does.

    Whoever had been connected before makes no difference.
    """
    with EventStoreDBClient(fresh_node.uri) as client:
        create_filtered(client, group, stream)
        with Consumer(client, group) as consumer:
            append(client, stream, "before")
            consumer.take_and_ack()
        eventually(lambda: len(group_info(fresh_node, group).connections), 0)
        append(client, stream, *"abc")
        pass_by(client, group)
        if change == "update":
            client.update_subscription_to_all(group, message_timeout=9)
        else:
            call(fresh_node, "RestartSubsystem", shared_pb2.Empty(), shared_pb2.Empty)
        append(client, stream, "later")
        with Consumer(client, group) as consumer:
            assert texts(consumer.take_data(1)) == "later"


@ENDS
def test_a_filtered_group_keeps_what_waits_for_a_slow_consumer(
    tmp_path: Path, stream: str, group: str, end: End
) -> None:
    """While a consumer is connected nothing is lost, however slow it is."""
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        create_filtered(client, group, stream)
        append(client, "other-1", *"xyz")
        with Consumer(client, group, slots=1) as consumer:
            append(client, stream, *"abc")
            consumer.take(1)
            append(client, "other-1", *"xyz")
            end(node)
    with (
        NodeProcess(tmp_path) as node,
        EventStoreDBClient(node.uri) as client,
        Consumer(client, group) as consumer,
    ):
        assert texts(consumer.take_data(3)) == "abc"


def test_a_filtered_group_delivers_what_waits_while_it_runs(
    fresh_node: NodeProcess, stream: str, group: str
) -> None:
    """Without a restart, a consumer that connects receives all waiting events."""
    with EventStoreDBClient(fresh_node.uri) as client:
        create_filtered(client, group, stream)
        append(client, stream, *"abc")
        pass_by(client, group)
        with Consumer(client, group) as consumer:
            assert texts(consumer.take_data(3)) == "abc"


@ENDS
@pytest.mark.parametrize("source", ["stream", "category", "type", "all"])
def test_every_other_source_keeps_what_waits(
    tmp_path: Path, group: str, source: str, end: End
) -> None:
    """A stream, ``$ce-…``, ``$et-…`` and ``$all`` without a filter: all of it comes."""
    category = uuid4().hex
    stream = {"stream": f"{category}-1", "category": f"$ce-{category}", "type": "$et-Happened"}
    name = stream.get(source)
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        if name is None:
            client.create_subscription_to_all(group, filter_exclude=(), min_checkpoint_count=1)
        else:
            client.create_subscription_to_stream(
                group, name, resolve_links=True, min_checkpoint_count=1
            )
        append(client, f"{category}-1", *"abc")
        append(client, "other-1", *"xyz")
        eventually(lambda: info(client, group, name).last_known_event_position != "", True)
        end(node)
    received = b""
    with (
        NodeProcess(tmp_path) as node,
        EventStoreDBClient(node.uri) as client,
        Consumer(client, group, name) as consumer,
    ):
        while not received.endswith(b"abc"):
            event = consumer.take_and_ack()
            received += event.data if event.stream_name == f"{category}-1" else b""
