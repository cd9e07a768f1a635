"""Consumer groups of the embedded node: made, changed, listed, and lasting."""

from collections.abc import Callable, Sequence
from pathlib import Path

import grpc
import psutil
import pytest
from esdbclient import EventStoreDBClient
from esdbclient.exceptions import (
    AlreadyExists,
    InternalError,
    NotFound,
)
from esdbclient.persistent import SubscriptionInfo
from esdbclient.protos.Grpc import persistent_pb2, shared_pb2

from infrastructure.embedded.eventstoredb.process import NodeProcess
from tests.infrastructure.embedded.consumer import Consumer
from tests.infrastructure.embedded.groups import append, call, creation, info, texts
from tests.infrastructure.embedded.waiting import eventually

Fresh = Callable[[str], str]


def test_a_group_exists_once(sync_client: EventStoreDBClient, stream: str, group: str) -> None:
    """A group is there once by stream and name."""
    sync_client.create_subscription_to_stream(group, stream)
    with pytest.raises(AlreadyExists, match=f"group {group} on stream {stream} exists"):
        sync_client.create_subscription_to_stream(group, stream)
    sync_client.create_subscription_to_stream(group, f"{stream}-other")


def test_a_group_that_is_not_there(
    sync_client: EventStoreDBClient, stream: str, group: str
) -> None:
    """Whatever is asked of a group that is not there is not found."""
    with pytest.raises(NotFound):
        Consumer(sync_client, group, stream)
    with pytest.raises(NotFound):
        info(sync_client, group, stream)
    with pytest.raises(NotFound):
        sync_client.update_subscription_to_stream(group, stream)
    with pytest.raises(NotFound):
        sync_client.delete_subscription(group, stream)
    with pytest.raises(NotFound):
        sync_client.replay_parked_events(group, stream)


def test_refusals_name_group_and_stream(node: NodeProcess, stream: str, group: str) -> None:
    """A refusal carries the trailers by which clients know what happened, to which group."""
    wanted = persistent_pb2.DeleteReq.Options(
        stream_identifier=shared_pb2.StreamIdentifier(stream_name=stream.encode()),
        group_name=group,
    )
    delete = persistent_pb2.DeleteReq(options=wanted)
    with pytest.raises(grpc.RpcError) as refused:
        call(node, "Delete", delete, persistent_pb2.DeleteResp)
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
    assert {
        ("exception", "persistent-subscription-does-not-exist"),
        ("stream-name", stream),
        ("group-name", group),
    } <= set(refused.value.trailing_metadata())


def test_settings_that_cannot_be(
    node: NodeProcess, sync_client: EventStoreDBClient, stream: str, group: str
) -> None:
    """Settings that the server refuses are refused with its reason."""
    with pytest.raises(InternalError, match="ReadBatchSize may not be greater than"):
        sync_client.create_subscription_to_stream(
            group, stream, read_batch_size=10, history_buffer_size=10
        )
    with pytest.raises(InternalError, match="commit position must be less than"):
        sync_client.create_subscription_to_all(group, commit_position=1 << 40)
    create = creation(stream, group, "Fair")
    with pytest.raises(grpc.RpcError, match="Consumer strategy Fair does not exist"):
        call(node, "Create", create, persistent_pb2.CreateResp)


def test_info(sync_client: EventStoreDBClient, stream: str, group: str) -> None:
    """Info tells the settings, and how far the group and its consumers are."""
    append(sync_client, stream, *"abc")
    sync_client.create_subscription_to_stream(
        group, stream, message_timeout=7, max_retry_count=3, consumer_strategy="Pinned"
    )
    with Consumer(sync_client, group, stream, slots=2) as consumer:
        consumer.take(2)
        told = info(sync_client, group, stream)
    assert (told.event_source, told.group_name, told.status) == (stream, group, "Live")
    assert (told.message_timeout, told.max_retry_count) == (7, 3)
    assert (told.consumer_strategy, told.start_from) == ("Pinned", "0")
    assert (told.total_in_flight_messages, told.read_buffer_count) == (2, 1)
    assert (told.last_known_event_position, told.last_checkpointed_event_position) == ("2", "")


def test_list(sync_client: EventStoreDBClient, fresh: Fresh, group: str) -> None:
    """Groups are listed for one stream, or all of them; a stream without any has an empty list."""
    here, there = fresh("order"), fresh("order")
    for stream in (here, there):
        sync_client.create_subscription_to_stream(group, stream)
    sync_client.create_subscription_to_all(group)

    def names(infos: Sequence[SubscriptionInfo]) -> set[str]:
        return {one.event_source for one in infos if one.group_name == group}

    assert names(sync_client.list_subscriptions()) == {here, there, "$all"}
    assert names(sync_client.list_subscriptions_to_stream(here)) == {here}
    assert sync_client.list_subscriptions_to_stream(fresh("order")) == []


def test_update(sync_client: EventStoreDBClient, stream: str, group: str) -> None:
    """An update changes what it names, drops the consumers, and goes on behind what was done."""
    append(sync_client, stream, "a", "b")
    sync_client.create_subscription_to_stream(group, stream, max_retry_count=3)
    with Consumer(sync_client, group, stream) as consumer:
        first, _ = consumer.take(2)
        consumer.ack([first])
        eventually(lambda: info(sync_client, group, stream).total_in_flight_messages, 1)
        sync_client.update_subscription_to_stream(group, stream, message_timeout=9)
        assert "was dropped" in str(consumer.ended_by())
    told = info(sync_client, group, stream)
    assert (told.message_timeout, told.max_retry_count) == (9, 3)
    with Consumer(sync_client, group, stream) as consumer:
        assert texts(consumer.take_data(1)) == "b"


def test_an_update_keeps_the_filter(
    sync_client: EventStoreDBClient, stream: str, group: str
) -> None:
    """A group on ``$all`` filters after an update as it did before."""
    sync_client.create_subscription_to_all(
        group, from_end=True, filter_include=[stream], filter_by_stream_name=True
    )
    sync_client.update_subscription_to_all(group, message_timeout=9)
    append(sync_client, "other", "a")
    append(sync_client, stream, "b")
    with Consumer(sync_client, group) as consumer:
        assert texts(consumer.take_data(1)) == "b"


def test_delete(sync_client: EventStoreDBClient, stream: str, group: str) -> None:
    """A deleted group drops its consumers; one of that name begins anew, with nothing parked."""
    append(sync_client, stream, "a", "b")
    sync_client.create_subscription_to_stream(group, stream)
    with Consumer(sync_client, group, stream) as consumer:
        first, second = consumer.take(2)
        consumer.ack([first])
        consumer.nack([second], "park")
        eventually(lambda: info(sync_client, group, stream).parked_message_count, 1)
        sync_client.delete_subscription(group, stream)
        assert "was dropped" in str(consumer.ended_by())
    sync_client.create_subscription_to_stream(group, stream)
    assert info(sync_client, group, stream).parked_message_count == 0
    with Consumer(sync_client, group, stream) as consumer:
        again = consumer.take(2)
        assert [event.data for event in again] == [b"a", b"b"]
        consumer.nack(again[:1], "park")
        eventually(lambda: info(sync_client, group, stream).parked_message_count, 1)
        sync_client.replay_parked_events(group, stream)
        assert texts(consumer.take_data(1)) == "a"


def test_restart_of_the_subsystem(
    node: NodeProcess, sync_client: EventStoreDBClient, stream: str, group: str
) -> None:
    """A restart of the subsystem drops consumers; groups go on behind what was done."""
    append(sync_client, stream, "a", "b")
    sync_client.create_subscription_to_stream(group, stream)
    with Consumer(sync_client, group, stream) as consumer:
        first, _ = consumer.take(2)
        consumer.ack([first])
        eventually(lambda: info(sync_client, group, stream).total_in_flight_messages, 1)
        call(node, "RestartSubsystem", shared_pb2.Empty(), shared_pb2.Empty)
        consumer.ended_by()
    with Consumer(sync_client, group, stream) as consumer:
        assert texts(consumer.take_data(1)) == "b"


def test_checkpoints_survive_a_crash(tmp_path: Path, stream: str, group: str) -> None:
    """After kill -9 what was acknowledged below the checkpoint does not come back."""
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        append(client, stream, *"abcdef")
        client.create_subscription_to_stream(
            group, stream, min_checkpoint_count=1, max_checkpoint_count=1
        )
        with Consumer(client, group, stream) as consumer:
            consumer.ack(consumer.take(6)[:4])
            eventually(lambda: info(client, group, stream).last_checkpointed_event_position, "3")
            node.kill()
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        assert info(client, group, stream).last_checkpointed_event_position == "3"
        with Consumer(client, group, stream) as consumer:
            assert texts(consumer.take_data(2)) == "ef"


def test_a_stop_loses_no_ack(tmp_path: Path, stream: str, group: str) -> None:
    """A node that is stopped writes down what is done, however few events that are."""
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        append(client, stream, "a", "b")
        client.create_subscription_to_stream(group, stream)
        with Consumer(client, group, stream) as consumer:
            consumer.ack(consumer.take(2)[:1])
            eventually(lambda: info(client, group, stream).total_in_flight_messages, 1)
    with (
        NodeProcess(tmp_path) as node,
        EventStoreDBClient(node.uri) as client,
        Consumer(client, group, stream) as consumer,
    ):
        assert texts(consumer.take_data(1)) == "b"


def test_configuration_survives_a_crash(tmp_path: Path, stream: str, group: str) -> None:
    """Groups are there after kill -9 as they were set, filters and starts from the end too."""
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        append(client, stream, "a")
        client.create_subscription_to_stream(group, stream, from_end=True, message_timeout=7)
        client.create_subscription_to_all(
            group, from_end=True, filter_include=[stream], filter_by_stream_name=True
        )
        append(client, "other", "b")
        append(client, stream, "c")
        before = [settings(one) for one in client.list_subscriptions()]
        node.kill()
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        assert [settings(one) for one in client.list_subscriptions()] == before
        with Consumer(client, group, stream) as on_stream, Consumer(client, group) as on_all:
            assert texts(on_stream.take_data(1)) == "c"
            assert texts(on_all.take_data(1)) == "c"


def test_a_replay_survives_a_crash(tmp_path: Path, stream: str, group: str) -> None:
    """An event that is replayed and not done when the node is killed is still parked."""
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        append(client, stream, "a")
        client.create_subscription_to_stream(group, stream)
        with Consumer(client, group, stream) as consumer:
            consumer.nack(consumer.take(1), "park")
            eventually(lambda: info(client, group, stream).parked_message_count, 1)
            client.replay_parked_events(group, stream)
            consumer.take(1)
            node.kill()
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        assert info(client, group, stream).parked_message_count == 1


def test_memory_stays_flat(fresh_node: NodeProcess, stream: str, group: str) -> None:
    """A group whose consumer answers nothing keeps no more than its buffers in memory."""
    with EventStoreDBClient(fresh_node.uri) as client:
        client.create_subscription_to_stream(group, stream, history_buffer_size=300)
        with Consumer(client, group, stream, slots=10) as consumer:
            process = psutil.Process(fresh_node.pid)
            _append_30_mb(client, stream)  # caches and allocators fill up once
            consumer.take(1)
            eventually(lambda: info(client, group, stream).read_buffer_count >= 90, True)
            before = process.memory_info().rss
            _append_30_mb(client, stream)
            _append_30_mb(client, stream)
            grown = process.memory_info().rss - before
    assert grown < 20_000_000, f"{grown:,} bytes for 60 MB of events"


def _append_30_mb(client: EventStoreDBClient, stream: str) -> None:
    for _ in range(60):
        append(client, stream, *("x" * 10_000 for _ in range(50)))


def settings(told: SubscriptionInfo) -> tuple[object, ...]:
    return told.event_source, told.group_name, told.start_from, told.message_timeout
