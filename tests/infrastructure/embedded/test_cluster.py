"""Three members over one log: who leads, what followers answer, how clients fail over."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import (
    EventStoreDBClientException,
    NodeIsNotLeader,
    ServiceUnavailable,
)
from esdbclient.gossip import NODE_STATE_FOLLOWER, NODE_STATE_LEADER
from esdbclient.protos.Grpc import gossip_pb2, gossip_pb2_grpc, shared_pb2

from infrastructure.embedded.eventstoredb.process import NodeFailed, NodeProcess
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
    addresses = targets(cluster)
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
    operate(before)
    with client_of(cluster, "leader") as other:
        assert other.connection_target != before


def test_loss_of_the_leader(
    cluster: NodeProcess, leader: EventStoreDBClient, follower: EventStoreDBClient, stream: str
) -> None:
    """When the leader is lost another is elected; a client survives it, and the lost one's return.

    Until then gossip says of it that it is not alive, and not what it is.
    """
    leader.append_to_stream(stream, current_version=ANY, events=[happened()])
    lost = leader.connection_target
    with lost_member(cluster, lost):
        leader.append_to_stream(stream, current_version=0, events=[happened()])
        assert leader.connection_target != lost
        assert roles(leader) == {lost: ("Unknown", False), **alive_beside(cluster, lost, leader)}
        assert len(follower.get_stream(stream)) == 2
    assert roles(leader)[lost] == ("Follower", True)
    leader.append_to_stream(stream, current_version=1, events=[happened()])
    with client_of(cluster, "leader") as other:
        assert other.connection_target == leader.connection_target
        assert len(other.get_stream(stream)) == 3


def test_discovery_after_a_loss(
    cluster: NodeProcess, follower: EventStoreDBClient, stream: str
) -> None:
    """A client that discovers the cluster through one member survives the loss of the leader."""
    follower.read_gossip()
    seed = follower.connection_target
    with EventStoreDBClient(f"esdb+discover://{seed}?Tls=false") as client:
        client.append_to_stream(stream, current_version=ANY, events=[happened()])
        with lost_member(cluster, client.connection_target):
            client.append_to_stream(stream, current_version=0, events=[happened()])
            assert len(client.get_stream(stream)) == 2


def test_connecting_without_a_member(cluster: NodeProcess) -> None:
    """A new client finds the leader, whichever of the members is lost."""
    for target in targets(cluster):
        with lost_member(cluster, target), client_of(cluster, "leader") as client:
            assert roles(client)[client.connection_target] == ("Leader", True)
            assert client.connection_target != target


def test_loss_of_a_follower(
    cluster: NodeProcess, leader: EventStoreDBClient, stream: str, group: str
) -> None:
    """Where a follower is lost nobody is elected, and consumers at the leader go on."""
    leader.create_subscription_to_stream(group, stream)
    with client_of(cluster, "follower") as client:
        client.read_gossip()
        lost = client.connection_target
    with leader.read_subscription_to_stream(group, stream) as subscription:
        before = leader.connection_target
        with lost_member(cluster, lost):
            leader.append_to_stream(stream, current_version=ANY, events=[happened()])
            assert next(subscription).stream_name == stream
            assert leader.connection_target == before
            assert roles(leader)[lost] == ("Follower", False)


def test_one_of_three_alone(cluster: NodeProcess, stream: str) -> None:
    """Without two of its three members a cluster has no leader: it reads, and does not write."""
    with client_of(cluster, "leader") as client:
        client.append_to_stream(stream, current_version=ANY, events=[happened()])
    alone, *others = targets(cluster)
    with (
        lost_member(cluster, others[0]),
        lost_member(cluster, others[1]),
        EventStoreDBClient(f"esdb://{alone}?Tls=false&NodePreference=random") as client,
    ):
        assert set(roles(client).values()) == {("Unknown", True), ("Unknown", False)}
        assert len(client.get_stream(stream)) == 1
        with pytest.raises(ServiceUnavailable, match="Server Is Not Ready"):
            client.append_to_stream(stream, current_version=0, events=[happened()])
    with client_of(cluster, "leader") as client:
        client.append_to_stream(stream, current_version=0, events=[happened()])


def test_loss_by_signal(cluster: NodeProcess) -> None:
    """SIGUSR2 loses the leader, and when it comes again the lost one is back."""
    with client_of(cluster, "leader") as client:
        lost = client.connection_target
    beside = next(target for target in targets(cluster) if target != lost)
    with EventStoreDBClient(f"esdb://{beside}?Tls=false&NodePreference=random") as client:
        os.kill(cluster.pid, signal.SIGUSR2)
        wait_until(lambda: roles(client)[lost] == ("Unknown", False))
        os.kill(cluster.pid, signal.SIGUSR2)
        wait_until(lambda: roles(client)[lost] == ("Follower", True))


def test_shut_down_by_call(cluster: NodeProcess, leader: EventStoreDBClient) -> None:
    """Shutdown of the Operations service ends the member that it is sent to, and no other."""
    lost = leader.connection_target
    operate(lost, "Shutdown")
    beside = next(target for target in targets(cluster) if target != lost)
    with EventStoreDBClient(f"esdb://{beside}?Tls=false&NodePreference=random") as client:
        wait_until(lambda: roles(client)[lost] == ("Unknown", False))
        cluster.bring_back(lost)
        assert roles(client)[lost] == ("Follower", True)


def test_followers_do_not_resign(cluster: NodeProcess, leader: EventStoreDBClient) -> None:
    """ResignNode changes nothing where it is sent to a follower."""
    before = roles(leader)
    operate(next(target for target in targets(cluster) if before[target][0] == "Follower"))
    assert roles(leader) == before


def test_members_are_named(cluster: NodeProcess) -> None:
    """To lose what is no member of the cluster is refused, with what would be right."""
    with pytest.raises(NodeFailed, match="a member's HOST:PORT"):
        cluster.take_down("127.0.0.1:1")


@contextmanager
def lost_member(cluster: NodeProcess, target: str) -> Iterator[None]:
    cluster.take_down(target)
    try:
        yield
    finally:
        cluster.bring_back(target)


def targets(cluster: NodeProcess) -> list[str]:
    return cluster.uri.removeprefix("esdb://").partition("?")[0].split(",")


def roles(client: EventStoreDBClient) -> dict[str, tuple[str, bool]]:
    """What gossip says of each member: its state, and whether it is alive."""
    with grpc.insecure_channel(client.connection_target) as channel:
        stub = gossip_pb2_grpc.GossipStub(channel)  # type: ignore[no-untyped-call]  # generated
        info = stub.Read(shared_pb2.Empty())
    return {
        f"{member.http_end_point.address}:{member.http_end_point.port}": (
            gossip_pb2.MemberInfo.VNodeState.Name(member.state),
            member.is_alive,
        )
        for member in info.members
    }


def alive_beside(
    cluster: NodeProcess, lost: str, leader: EventStoreDBClient
) -> dict[str, tuple[str, bool]]:
    leads = leader.connection_target
    rest = (target for target in targets(cluster) if target != lost)
    return {target: ("Leader" if target == leads else "Follower", True) for target in rest}


def operate(target: str, call: str = "ResignNode") -> None:
    with grpc.insecure_channel(target) as channel:
        method = f"/event_store.client.operations.Operations/{call}"
        channel.unary_unary(method, lambda sent: sent, lambda got: got)(b"")
