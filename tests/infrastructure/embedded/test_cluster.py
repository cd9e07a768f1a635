"""Three members over one log: who leads, what followers answer, how clients fail over."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import (
    EventStoreDBClientException,
    NodeIsNotLeader,
)
from esdbclient.gossip import NODE_STATE_FOLLOWER, NODE_STATE_LEADER

from infrastructure.embedded.eventstoredb.process import NodeProcess
from tests.infrastructure.embedded.test_node_process import wait_until

ANY = StreamState.ANY


@pytest.fixture(scope="module")
def cluster() -> Iterator[NodeProcess]:
    """A cluster in memory."""
    with NodeProcess(cluster=True) as node:
        yield node


@contextmanager
def client_of(cluster: NodeProcess, preference: str) -> Iterator[EventStoreDBClient]:
    with EventStoreDBClient(f"{cluster.uri}&NodePreference={preference}") as client:
        yield client


@pytest.fixture
def leader(cluster: NodeProcess) -> Iterator[EventStoreDBClient]:
    with client_of(cluster, "leader") as client:
        yield client


@pytest.fixture
def follower(cluster: NodeProcess) -> Iterator[EventStoreDBClient]:
    with client_of(cluster, "follower") as client:
        yield client


def happened() -> NewEvent:
    return NewEvent("Happened", b"{}")


def test_every_member_knows_all(cluster: NodeProcess) -> None:
    """Each member's gossip lists all three where they listen; one of them leads."""
    addresses = cluster.uri.removeprefix("esdb://").partition("?")[0].split(",")
    for address in addresses:
        with EventStoreDBClient(f"esdb://{address}?Tls=false&NodePreference=random") as client:
            members = client.read_gossip()
        assert [f"{member.address}:{member.port}" for member in members] == addresses
        assert sorted(member.state for member in members) == [
            NODE_STATE_FOLLOWER,
            NODE_STATE_FOLLOWER,
            NODE_STATE_LEADER,
        ]


def test_followers_read(
    leader: EventStoreDBClient, follower: EventStoreDBClient, stream: str
) -> None:
    """What the leader has acknowledged, a follower reads; subscriptions to a follower are live."""
    assert leader.connection_target != follower.connection_target
    with follower.subscribe_to_stream(stream) as subscription:
        leader.append_to_stream(stream, current_version=ANY, events=[happened()])
        assert len(follower.get_stream(stream)) == 1
        assert next(subscription).stream_name == stream


def test_followers_refuse(
    leader: EventStoreDBClient, follower: EventStoreDBClient, stream: str, group: str
) -> None:
    """What needs the leader is refused by a follower, and the refusal names the leader."""
    leader.create_subscription_to_stream(group, stream)
    with pytest.raises(NodeIsNotLeader) as raised:
        follower.append_to_stream(stream, current_version=ANY, events=[happened()])
    assert raised.value.leader_grpc_target == leader.connection_target
    for refused in (
        lambda: follower.append_event(stream, current_version=ANY, event=happened()),
        lambda: follower.delete_stream(stream, current_version=ANY),
        lambda: follower.tombstone_stream(stream, current_version=ANY),
        lambda: follower.read_subscription_to_stream(group, stream),
        lambda: follower.create_subscription_to_all(group),
        lambda: follower.get_subscription_info(group, stream),
        lambda: follower.list_subscriptions(),
        lambda: follower.replay_parked_events(group, stream),
        lambda: follower.get_projection_statistics(name="$by_category"),
    ):
        with pytest.raises(NodeIsNotLeader):
            refused()


def test_fail_over(cluster: NodeProcess, leader: EventStoreDBClient, stream: str) -> None:
    """When the leader steps down, a client that wants the leader goes to the new one by itself."""
    leader.append_to_stream(stream, current_version=ANY, events=[happened()])
    before = leader.connection_target
    cluster.step_down()
    with client_of(cluster, "leader") as other:
        wait_until(lambda: leads_elsewhere(other, before))
    leader.append_to_stream(stream, current_version=0, events=[happened()])
    assert leader.connection_target != before
    assert len(leader.get_stream(stream)) == 2


def leads_elsewhere(client: EventStoreDBClient, before: str) -> bool:
    return [
        f"{member.address}:{member.port}"
        for member in client.read_gossip()
        if member.state == NODE_STATE_LEADER
    ] != [before]


def test_consumers_fail_over(
    cluster: NodeProcess, leader: EventStoreDBClient, stream: str, group: str
) -> None:
    """Consumers are dropped when the leader steps down, and go on at the new one."""
    leader.create_subscription_to_stream(group, stream)
    leader.append_to_stream(stream, current_version=ANY, events=[happened()])
    before = leader.connection_target
    subscription = leader.read_subscription_to_stream(group, stream)
    subscription.ack(next(subscription))
    cluster.step_down()
    with pytest.raises((EventStoreDBClientException, StopIteration)):
        next(subscription)
    leader.append_to_stream(stream, current_version=ANY, events=[happened()])
    assert leader.connection_target != before
    with leader.read_subscription_to_stream(group, stream) as subscription:
        positions = (event.stream_position for event in subscription)
        assert 1 in positions  # 0 may come again: its acknowledgement may not have arrived


def test_step_down_by_call(cluster: NodeProcess, leader: EventStoreDBClient) -> None:
    """Operators may ask for it over the wire, too: ResignNode of the Operations service."""
    before = leader.connection_target
    with grpc.insecure_channel(before) as channel:
        method = "/event_store.client.operations.Operations/ResignNode"
        channel.unary_unary(method, lambda sent: sent, lambda got: got)(b"")
    with client_of(cluster, "leader") as other:
        assert other.connection_target != before
