"""Consumer groups of the embedded node: made, changed, listed, and lasting."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import grpc
import psutil
import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import (
    AlreadyExists,
    InternalError,
    NotFound,
)
from esdbclient.persistent import SubscriptionInfo
from esdbclient.protos.Grpc import persistent_pb2, shared_pb2

from consumer import Consumer
from embedded_eventstoredb import NodeProcess
from groups import (
    append,
    call,
    creation,
    group_info,
    info,
    parked_stream,
    texts,
)
from waiting import eventually

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
    """Every call for a missing group is answered "not found"."""
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
    """Info shows the settings, and the progress of the group and its consumers."""
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
    """An update changes what it names and drops the consumers; nothing else of it changes."""
    append(sync_client, stream, "a", "b")
    sync_client.create_subscription_to_stream(group, stream, max_retry_count=3)
    with Consumer(sync_client, group, stream) as consumer:
        consumer.take(2)
        sync_client.update_subscription_to_stream(group, stream, message_timeout=9)
        assert "was dropped" in str(consumer.ended_by())
    told = info(sync_client, group, stream)
    assert (told.message_timeout, told.max_retry_count) == (9, 3)


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
    """A deleted group drops its consumers; a new group of that name has no parked events."""
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


@pytest.mark.parametrize("change", ["update", "restart"])
def test_a_change_forgets_what_no_checkpoint_says(
    node: NodeProcess, sync_client: EventStoreDBClient, stream: str, group: str, change: str
) -> None:
    """An update, or a restart of the subsystem, drops consumers and writes no checkpoint."""
    append(sync_client, stream, *"abc")
    sync_client.create_subscription_to_stream(group, stream, min_checkpoint_count=3)
    with Consumer(sync_client, group, stream) as consumer:
        acknowledge_two_of_three(sync_client, consumer, stream, group)
        if change == "update":
            sync_client.update_subscription_to_stream(group, stream, min_checkpoint_count=3)
        else:
            call(node, "RestartSubsystem", shared_pb2.Empty(), shared_pb2.Empty)
        assert f"group {group} on stream {stream} was dropped." in str(consumer.ended_by())
    check_that_three_come_anew(sync_client, stream, group)


@pytest.mark.parametrize("end", [NodeProcess.stop, NodeProcess.kill])
def test_the_end_forgets_what_no_checkpoint_says(
    tmp_path: Path, stream: str, group: str, end: Callable[[NodeProcess], None]
) -> None:
    """However the node ends, acks of fewer events than ``min_checkpoint_count`` are forgotten."""
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        append(client, stream, *"abc")
        client.create_subscription_to_stream(group, stream, min_checkpoint_count=3)
        with Consumer(client, group, stream) as consumer:
            acknowledge_two_of_three(client, consumer, stream, group)
            end(node)
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        check_that_three_come_anew(client, stream, group)


def acknowledge_two_of_three(
    client: EventStoreDBClient, consumer: Consumer, stream: str, group: str
) -> None:
    consumer.ack(consumer.take(3)[:2])
    eventually(lambda: info(client, group, stream).total_in_flight_messages, 1)


def check_that_three_come_anew(client: EventStoreDBClient, stream: str, group: str) -> None:
    with Consumer(client, group, stream) as consumer:
        again = [(event.data, event.retry_count) for event in consumer.take(3)]
    assert again == [(b"a", 0), (b"b", 0), (b"c", 0)]


def test_checkpoints_come_by_the_clock(tmp_path: Path, stream: str, group: str) -> None:
    """From ``min_checkpoint_count`` events on the next tick writes a checkpoint, which lasts."""
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        append(client, stream, *"abc")
        client.create_subscription_to_stream(
            group, stream, min_checkpoint_count=2, checkpoint_after=0.1
        )
        with Consumer(client, group, stream) as consumer:
            consumer.ack(consumer.take(3)[:2])
            eventually(lambda: info(client, group, stream).last_checkpointed_event_position, "1")
            call(node, "RestartSubsystem", shared_pb2.Empty(), shared_pb2.Empty)
            consumer.ended_by()
        with Consumer(client, group, stream) as consumer:
            assert texts(consumer.take_data(1)) == "c"


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


def test_configuration_survives_a_crash(tmp_path: Path, stream: str, group: str) -> None:
    """Groups are there after kill -9 as they were set, filters and starts from the end too."""
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        client.create_subscription_to_stream(group, stream, from_end=True, message_timeout=7)
        client.create_subscription_to_all(
            group, from_end=True, filter_include=[stream], filter_by_stream_name=True
        )
        before = [settings(one) for one in client.list_subscriptions()]
        node.kill()
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        assert [settings(one) for one in client.list_subscriptions()] == before
        append(client, "other", "b")
        append(client, stream, "c")
        with Consumer(client, group, stream) as on_stream, Consumer(client, group) as on_all:
            assert texts(on_stream.take_data(1)) == "c"
            assert texts(on_all.take_data(1)) == "c"


def test_a_group_from_the_end_begins_there_anew(tmp_path: Path, stream: str, group: str) -> None:
    """From the end and without a checkpoint, what came before a restart never comes."""
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        client.create_subscription_to_stream(group, stream, from_end=True)
        append(client, stream, "missed")
        eventually(lambda: info(client, group, stream).last_known_event_position, "0")
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        append(client, stream, "after")
        with Consumer(client, group, stream) as consumer:
            assert texts(consumer.take_data(1)) == "after"


def test_a_crash_loses_what_is_replayed(tmp_path: Path, stream: str, group: str) -> None:
    """A replayed event is parked no more, though nobody has acknowledged it, and a crash loses it.

    The metadata of the parked stream says so as the server writes it.
    """
    parked = parked_stream(stream, group)
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        append(client, stream, "a")
        client.create_subscription_to_stream(
            group, stream, min_checkpoint_count=1, max_checkpoint_count=1
        )
        with Consumer(client, group, stream) as consumer:
            consumer.nack(consumer.take(1), "park")
            eventually(lambda: info(client, group, stream).last_checkpointed_event_position, "0")
            client.replay_parked_events(group, stream)
            consumer.take(1)
            eventually(lambda: len(client.get_stream(parked)), 0)
            (cut,) = client.get_stream(f"$${parked}")
            assert cut.data == b'{"$tb":1}'
            node.kill()
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        assert info(client, group, stream).parked_message_count == 0
        client.replay_parked_events(group, stream)
        append(client, stream, "b")
        with Consumer(client, group, stream) as consumer:
            assert texts(consumer.take_data(1)) == "b"


def test_a_group_from_where_no_record_begins(
    sync_client: EventStoreDBClient, stream: str, group: str
) -> None:
    """On ``$all`` it is created; each consumer is confirmed and dropped, and the status does not
    show it.
    """
    position = sync_client.append_to_stream(
        stream, current_version=StreamState.ANY, events=[NewEvent("Happened", b"{}")]
    )
    sync_client.create_subscription_to_all(group, commit_position=position - 1)
    assert info(sync_client, group).status == "Behind, OutstandingPageRequest"
    for _ in range(2):
        with Consumer(sync_client, group) as consumer:
            assert f"group {group} on stream $all was dropped." in str(consumer.ended_by())


def test_a_group_from_position_0(fresh_node: NodeProcess, stream: str, group: str) -> None:
    """Position 0 is always one to begin at, and gives all that ``$all`` shows."""
    with EventStoreDBClient(fresh_node.uri) as client:
        client.create_subscription_to_all(group, commit_position=0)
        append(client, stream, "a")
        with Consumer(client, group) as consumer:
            while consumer.take_and_ack().stream_name != stream:
                pass


def test_the_configuration_leaves_out_what_is_not_set(
    fresh_node: NodeProcess, stream: str, group: str
) -> None:
    """The record of all groups is compact JSON, without what is 0, false or empty."""
    with EventStoreDBClient(fresh_node.uri) as client:
        client.create_subscription_to_stream(group, stream)
        newest, *_ = client.get_stream("$persistentSubscriptionConfig", backwards=True)
        client.delete_subscription(group, stream)
        empty, *_ = client.get_stream("$persistentSubscriptionConfig", backwards=True)
    (entry,) = json.loads(newest.data)["entries"]
    assert b" " not in newest.data
    assert {"filter", "resolveLinkTos", "extraStatistics"} & entry.keys() == set()
    assert (entry["stream"], entry["startPosition"]) == (stream, "0")
    assert json.loads(empty.data)["entries"] == []


def test_statistics_of_a_connection(node: NodeProcess, stream: str, group: str) -> None:
    """A consumer of a group with extra statistics is measured from its first answer on.

    Its connection is named by address, and by the user that an insecure server takes it for.
    """
    create = creation(stream, group, "RoundRobin")
    create.options.settings.extra_statistics = True
    call(node, "Create", create, persistent_pb2.CreateResp)

    def connection() -> persistent_pb2.SubscriptionInfo.ConnectionInfo:
        return group_info(node, group, stream).connections[0]

    with EventStoreDBClient(node.uri) as client, Consumer(client, group, stream) as consumer:
        append(client, stream, *"abc")
        events = consumer.take(3)
        before = connection()
        assert (before.username, getattr(before, "from").rpartition(":")[0]) == (
            "system",
            "127.0.0.1",
        )
        assert before.observed_measurements == []
        consumer.ack(events)
        eventually(lambda: len(connection().observed_measurements), len(STATISTICS))
        told = connection().observed_measurements
    assert [one.key for one in told] == STATISTICS
    assert min(one.value for one in told) > 0


STATISTICS = ["Mean", "Median", "Fastest", *(f"Quintile {number}" for number in range(1, 6))]
STATISTICS += ["90%", "95%", "99%", "99.5%", "99.9%", "Highest"]


def test_memory_stays_flat(fresh_node: NodeProcess, stream: str, group: str) -> None:
    """A group with a consumer that does not answer keeps only its buffers in memory."""
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
