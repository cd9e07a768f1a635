"""Three members over one log: leaders, elections, and how clients fail over."""

import os
import signal
from collections.abc import Iterator
from itertools import pairwise

import pytest
from esdbclient import EventStoreDBClient, StreamState
from esdbclient.exceptions import EventStoreDBClientException, ServiceUnavailable
from esdbclient.gossip import NODE_STATE_FOLLOWER, NODE_STATE_LEADER

from clusters import (
    append,
    client_of,
    insist,
    leader_of,
    member,
    operate,
    roles,
    versions,
)
from embedded_eventstoredb import NodeFailed, NodeProcess
from waiting import eventually

ANY = StreamState.ANY


@pytest.fixture(scope="module")
def running() -> Iterator[NodeProcess]:
    with NodeProcess(cluster=True, follower_lag=0.05, election_time=0.2) as node:
        yield node


@pytest.fixture
def cluster(running: NodeProcess) -> NodeProcess:
    """A cluster in memory, with a leader, whatever the test before did to it."""
    leader_of(running)
    return running


@pytest.fixture
def leader(cluster: NodeProcess) -> Iterator[EventStoreDBClient]:
    with client_of(cluster, "leader") as client:
        yield client


def test_every_member_knows_all(cluster: NodeProcess) -> None:
    """Each member's gossip lists all three where they listen; one of them leads."""
    addresses = cluster.targets
    for address in addresses:
        with member(address) as client:
            members = client.read_gossip()
        assert [f"{one.address}:{one.port}" for one in members] == addresses
        assert sorted(one.state for one in members) == [
            NODE_STATE_FOLLOWER,
            NODE_STATE_FOLLOWER,
            NODE_STATE_LEADER,
        ]


def test_fail_over(cluster: NodeProcess, leader: EventStoreDBClient, stream: str) -> None:
    """When the leader steps down, a client that wants the leader goes to the new one by itself."""
    append(leader, stream, ANY)
    before = leader.connection_target
    cluster.step_down()
    eventually(lambda: roles(before)[before], ("Follower", True))
    append(leader, stream, 0)
    assert leader.connection_target != before
    assert versions(leader, stream) == [0, 1]


def test_consumers_fail_over(
    cluster: NodeProcess, leader: EventStoreDBClient, stream: str, group: str
) -> None:
    """Consumers are dropped when the leader steps down, and go on at the new one."""
    leader.create_subscription_to_stream(group, stream)
    append(leader, stream, ANY)
    before = leader.connection_target
    subscription = leader.read_subscription_to_stream(group, stream)
    next(subscription)
    cluster.step_down()
    with pytest.raises(EventStoreDBClientException, match="was dropped"):
        next(subscription)
    append(leader, stream, 0)
    assert leader.connection_target != before
    with leader.read_subscription_to_stream(group, stream) as subscription:
        events = (next(subscription) for _ in range(2))
        assert [event.stream_position for event in events] == [0, 1]


def test_resigning_by_call(cluster: NodeProcess) -> None:
    """ResignNode of the Operations service causes an election, which the same member may win."""
    leaders = [leader_of(cluster)]
    while not ({True, False} <= {a == b for a, b in pairwise(leaders)}):
        operate(leaders[-1])
        leaders.append(leader_of(cluster))
        assert len(leaders) < 60, leaders


def test_loss_of_the_leader(cluster: NodeProcess, leader: EventStoreDBClient, stream: str) -> None:
    """When the leader is lost, another is elected; a client survives that, and the return of the
    first.

    Until then gossip says of it that it is not alive, and not what it is.
    """
    append(leader, stream, ANY)
    lost = leader.connection_target
    with cluster.lost(lost):
        append(leader, stream, 0)
        leads = leader.connection_target
        assert leads != lost
        follows = next(target for target in cluster.targets if target not in (lost, leads))
        assert roles(leads) == {
            lost: ("Unknown", False),
            leads: ("Leader", True),
            follows: ("Follower", True),
        }
        with member(follows) as follower:
            eventually(lambda: versions(follower, stream), [0, 1])
    assert roles(leads)[lost] == ("Follower", True)
    append(leader, stream, 1)
    with client_of(cluster, "leader") as other:
        assert other.connection_target == leads
        assert versions(other, stream) == [0, 1, 2]


def test_discovery_after_a_loss(cluster: NodeProcess, stream: str) -> None:
    """A client that discovers the cluster through one member survives the loss of the leader."""
    leads = leader_of(cluster)
    seed = next(target for target in cluster.targets if target != leads)
    with EventStoreDBClient(f"esdb+discover://{seed}?Tls=false") as client:
        append(client, stream, ANY)
        with cluster.lost(client.connection_target):
            append(client, stream, 0)
            assert versions(client, stream) == [0, 1]


def test_connecting_without_a_member(cluster: NodeProcess) -> None:
    """A new client finds the leader, whichever of the members is lost."""
    for target in cluster.targets:
        with cluster.lost(target):
            leads = leader_of(cluster)
            with client_of(cluster, "leader") as client:
                assert client.connection_target == leads != target


def test_loss_of_a_follower(
    cluster: NodeProcess, leader: EventStoreDBClient, stream: str, group: str
) -> None:
    """When a follower is lost, there is no election, and consumers at the leader go on."""
    leader.create_subscription_to_stream(group, stream)
    before = leader.connection_target
    lost = next(target for target in cluster.targets if target != before)
    with (
        leader.read_subscription_to_stream(group, stream) as subscription,
        cluster.lost(lost),
    ):
        append(leader, stream, ANY)
        assert next(subscription).stream_name == stream
        assert leader.connection_target == before
        assert roles(before)[lost] == ("Follower", False)


def test_one_of_three_alone(cluster: NodeProcess, stream: str) -> None:
    """Without two of its three members a cluster has no leader: it reads, and does not write."""
    with client_of(cluster, "leader") as client:
        append(client, stream, ANY)
    alone, *others = cluster.targets
    with (
        cluster.lost(others[0]),
        cluster.lost(others[1]),
        member(alone) as client,
    ):
        nobody = {("Unknown", True), ("Unknown", False)}
        eventually(lambda: set(roles(alone).values()) - {("Follower", False)}, nobody)
        eventually(lambda: versions(client, stream), [0])
        with pytest.raises(ServiceUnavailable, match="Server Is Not Ready"):
            client.delete_stream(stream, current_version=0)
    with client_of(cluster, "leader") as client:
        append(client, stream, 0)


def test_the_leader_is_named(cluster: NodeProcess) -> None:
    """It names the member that gossip shows as the leader, and none where too few are left."""
    first = cluster.leader()
    assert roles(first)[first] == ("Leader", True)
    with cluster.lost(first):
        second = cluster.leader()
        assert second != first
        assert roles(second)[second] == ("Leader", True)
        with cluster.lost(second), pytest.raises(NodeFailed, match="no member leads"):
            cluster.leader(within=0)


def test_loss_by_signal(cluster: NodeProcess) -> None:
    """SIGUSR2 loses the leader, and when it comes again the lost one is back."""
    lost = leader_of(cluster)
    beside = next(target for target in cluster.targets if target != lost)
    os.kill(cluster.pid, signal.SIGUSR2)
    eventually(lambda: roles(beside)[lost], ("Unknown", False))
    leader_of(cluster)
    os.kill(cluster.pid, signal.SIGUSR2)
    eventually(lambda: roles(beside)[lost], ("Follower", True))


def test_shut_down_by_call(cluster: NodeProcess, stream: str, group: str) -> None:
    """Shutdown of the Operations service ends the member that it is sent to, and no other.

    A leader drops its consumers for that; a catch-up subscription there ends without an error.
    """
    lost = leader_of(cluster)
    beside = next(target for target in cluster.targets if target != lost)
    with client_of(cluster, "leader") as client:
        append(client, stream, ANY)
        client.create_subscription_to_stream(group, stream)
        consumer = client.read_subscription_to_stream(group, stream)
        subscription = client.subscribe_to_stream(stream)
        next(consumer), next(subscription)
        operate(lost, "Shutdown")
        assert list(subscription) == []
        with pytest.raises(EventStoreDBClientException, match="was dropped"):
            next(consumer)
    eventually(lambda: roles(beside)[lost], ("Unknown", False))
    insist(lambda: cluster.bring_back(lost))
    leader_of(cluster)
    assert roles(beside)[lost] == ("Follower", True)


def test_followers_do_not_resign(cluster: NodeProcess) -> None:
    """ResignNode changes nothing where it is sent to a follower."""
    leads = leader_of(cluster)
    before = roles(leads)
    operate(next(target for target in before if target != leads))
    assert roles(leads) == before


def test_members_are_named(cluster: NodeProcess) -> None:
    """Taking down an unknown member is refused, with the correct form."""
    with pytest.raises(NodeFailed, match="a member's HOST:PORT"):
        cluster.take_down("127.0.0.1:1")
