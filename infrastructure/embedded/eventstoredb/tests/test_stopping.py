"""What callers hear while a node, or what runs its consumer groups, stops."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from esdbclient import AsyncEventStoreDBClient, EventStoreDBClient
from esdbclient.exceptions import EventStoreDBClientException, ServiceUnavailable
from esdbclient.protos.Grpc import persistent_pb2

from consumer import Consumer
from embedded_eventstoredb import NodeProcess
from embedded_eventstoredb.errors import NotReady
from embedded_eventstoredb.group_settings import GroupSettings
from embedded_eventstoredb.persistent_subscriptions import PersistentSubscriptions
from embedded_eventstoredb.server import Node, NodeSettings
from embedded_eventstoredb.storage import Storage
from groups import append

SERVICE = "/event_store.client.persistent_subscriptions.PersistentSubscriptions"


@pytest.fixture
async def here() -> AsyncIterator[Node]:
    """A node in this process."""
    node = Node(NodeSettings(port=0, projections=False))
    await node.start()
    yield node
    await node.stop()


def test_consumers_are_dropped_by_a_stop(tmp_path: Path, stream: str, group: str) -> None:
    """A stop ends consumers CANCELLED, and by name; a catch-up subscription loses its server."""
    with NodeProcess(tmp_path) as node, EventStoreDBClient(node.uri) as client:
        append(client, stream, "a")
        client.create_subscription_to_stream(group, stream)
        subscription = client.subscribe_to_stream(stream)
        next(subscription)
        with Consumer(client, group, stream) as consumer:
            consumer.take(1)
            node.stop()
            ended = consumer.ended_by()
        assert f"Subscription group {group} on stream {stream} was dropped." in str(ended)
        assert isinstance(ended, EventStoreDBClientException)
        error = ended.__cause__ or ended.args[0]
        assert isinstance(error, grpc.RpcError)
        assert error.code() == grpc.StatusCode.CANCELLED
        assert "persistent-subscription-dropped" in str(error.trailing_metadata())
        with pytest.raises(ServiceUnavailable):
            next(subscription)


async def test_a_node_that_stops_takes_no_calls(here: Node, stream: str) -> None:
    """As soon as it stops, a new call of any kind is answered that the server is not ready."""
    client = AsyncEventStoreDBClient(here.uri)
    await client.connect()
    here.members.close()
    with pytest.raises(ServiceUnavailable, match="Server Is Not Ready"):
        await client.get_stream(stream)
    with pytest.raises(EventStoreDBClientException, match="Server Is Not Ready"):
        await client.list_subscriptions()
    await client.close()


async def test_groups_that_are_starting_say_nothing(stream: str, group: str) -> None:
    """While groups restart, every call about them is "not ready", also for a missing one."""
    storage = Storage()
    groups = PersistentSubscriptions(storage)
    groups.start()
    await groups.create(GroupSettings(stream, group))
    restarting = asyncio.create_task(groups.restart())
    await asyncio.sleep(0)
    for name in (group, "missing"):
        with pytest.raises(NotReady):
            groups.find(stream, name)
    await restarting
    assert groups.find(stream, group).settings.group == group
    await groups.stop()
    storage.close()


async def test_replays_are_not_answered_while_groups_start(
    here: Node, stream: str, group: str
) -> None:
    """A request for a replay meanwhile is not answered before its deadline."""
    here.groups.starting = True
    options = persistent_pb2.ReplayParkedReq.Options(group_name=group)
    options.stream_identifier.stream_name = stream.encode()
    address = here.uri.removeprefix("esdb://").partition("?")[0]
    async with grpc.aio.insecure_channel(address) as channel:
        replay = channel.unary_unary(
            f"{SERVICE}/ReplayParked",
            request_serializer=persistent_pb2.ReplayParkedReq.SerializeToString,
            response_deserializer=persistent_pb2.ReplayParkedResp.FromString,
        )
        with pytest.raises(grpc.aio.AioRpcError) as late:
            await replay(persistent_pb2.ReplayParkedReq(options=options), timeout=0.2)
    assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
