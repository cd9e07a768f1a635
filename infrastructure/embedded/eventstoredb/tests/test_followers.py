"""What a follower shows, refuses, and leaves without an answer."""

import threading
import time
from collections.abc import Iterator

import grpc
import pytest
from esdbclient import EventStoreDBClient, StreamState
from esdbclient.exceptions import NodeIsNotLeader, NotFound
from esdbclient.protos.Grpc import persistent_pb2, projections_pb2, shared_pb2
from google.protobuf.message import Message

from clusters import (
    append,
    call,
    client_of,
    leader_of,
    member,
    roles,
    versions,
)
from embedded_eventstoredb import NodeProcess
from waiting import PATIENCE, eventually

ANY = StreamState.ANY
LAG = 0.4
_GROUPS = "event_store.client.persistent_subscriptions.PersistentSubscriptions"
_PROJECTIONS = "event_store.client.projections.Projections"


@pytest.fixture(scope="module")
def cluster() -> Iterator[NodeProcess]:
    with NodeProcess(cluster=True, follower_lag=LAG) as node:
        leader_of(node)
        yield node


@pytest.fixture
def leader(cluster: NodeProcess) -> Iterator[EventStoreDBClient]:
    with client_of(cluster, "leader") as client:
        yield client


@pytest.fixture
def follower(cluster: NodeProcess) -> Iterator[EventStoreDBClient]:
    with client_of(cluster, "follower") as client:
        client.read_gossip()
        yield client


def test_a_follower_is_behind(
    leader: EventStoreDBClient, follower: EventStoreDBClient, stream: str
) -> None:
    """What the leader has acknowledged is missing from a follower until it is old enough."""
    assert leader.connection_target != follower.connection_target
    started = time.monotonic()
    append(leader, stream, ANY)
    assert versions(leader, stream) == [0]
    eventually(lambda: found(follower, stream), [0])
    assert time.monotonic() - started >= LAG


def test_subscriptions_to_a_follower(
    leader: EventStoreDBClient, follower: EventStoreDBClient, stream: str
) -> None:
    """A subscription to a follower is live, and as late as its reads: of a stream, and of all."""
    for subscription in (
        follower.subscribe_to_stream(stream),
        follower.subscribe_to_all(filter_include=[f"{stream}.*"], filter_by_stream_name=True),
    ):
        with subscription:
            started = time.monotonic()
            append(leader, stream, ANY)
            while next(subscription).stream_position < versions(leader, stream)[-1]:
                pass
            assert time.monotonic() - started >= LAG


def test_a_follower_shows_a_stream_as_it_was(
    leader: EventStoreDBClient, follower: EventStoreDBClient, stream: str
) -> None:
    """Truncation, deletion and the end of a stream arrive at a follower with its events."""
    for _ in range(3):
        append(leader, stream, ANY)
    eventually(lambda: found(follower, stream), [0, 1, 2])
    started = time.monotonic()
    append(leader, stream, ANY)
    leader.set_stream_metadata(stream, metadata={"$tb": 2})
    assert versions(leader, stream) == [2, 3]
    assert found(follower, stream) == [0, 1, 2] or time.monotonic() - started >= LAG
    last = [event.stream_position for event in follower.get_stream(stream, backwards=True, limit=1)]
    assert last == [2] or time.monotonic() - started >= LAG
    eventually(lambda: found(follower, stream), [2, 3])
    leader.delete_stream(stream, current_version=3)
    eventually(lambda: len(found(follower, stream)), 0)


def test_a_leader_that_resigns_keeps_what_it_acknowledged(stream: str) -> None:
    """It shows that at once, and after a restart, however far behind its followers are."""
    with NodeProcess(cluster=True, follower_lag=3600, election_time=0.2) as node:
        before = leader_of(node)
        with client_of(node, "leader") as client:
            append(client, stream, ANY)
        node.step_down()
        eventually(lambda: roles(before)[before], ("Follower", True))
        with member(before) as resigned:
            assert found(resigned, stream) == [0]
        after = leader_of(node)
        third = next(target for target in node.targets if target not in (before, after))
        with member(after) as leads, member(third) as follows:
            assert (found(leads, stream), found(follows, stream)) == ([0], [])
        for target in (before, after):
            with node.lost(target):
                pass
            with member(target) as restarted:
                assert found(restarted, stream) == [0]


def found(client: EventStoreDBClient, stream: str) -> list[int]:
    try:
        return versions(client, stream)
    except NotFound:
        return []


def test_followers_refuse(
    leader: EventStoreDBClient, follower: EventStoreDBClient, stream: str, group: str
) -> None:
    """What needs the leader is refused by a follower, and the refusal names the leader."""
    leader.create_subscription_to_stream(group, stream)
    with pytest.raises(NodeIsNotLeader) as raised:
        follower.delete_stream(stream, current_version=ANY)
    assert raised.value.leader_grpc_target == leader.connection_target
    for refused in (
        lambda: follower.tombstone_stream(stream, current_version=ANY),
        lambda: follower.read_subscription_to_stream(group, stream),
        lambda: follower.create_subscription_to_all(group),
        lambda: follower.get_subscription_info(group, stream),
        lambda: follower.list_subscriptions(),
    ):
        with pytest.raises(NodeIsNotLeader):
            refused()


@pytest.mark.parametrize(
    "method", [f"{_GROUPS}/Read", "event_store.client.streams.Streams/BatchAppend"]
)
def test_a_follower_refuses_what_was_asked(follower: EventStoreDBClient, method: str) -> None:
    """A call that goes on is refused after its first request: some take what is refused while
    they are sending for a broken call.
    """
    refused = threading.Event()

    def requests() -> Iterator[bytes]:
        refused.wait(0.2)
        yield b"asked"

    with grpc.insecure_channel(follower.connection_target) as channel:
        stub = channel.stream_stream(f"/{method}", bytes, bytes)
        open_call = stub(requests(), timeout=PATIENCE, metadata=(("requires-leader", "true"),))
        open_call.add_callback(refused.set)
        assert not refused.wait(0.1)
        with pytest.raises(grpc.RpcError) as why:
            list(open_call)
    assert why.value.code() == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("method", "request_", "answer"),
    [
        (
            f"{_GROUPS}/ReplayParked",
            persistent_pb2.ReplayParkedReq(
                options=persistent_pb2.ReplayParkedReq.Options(group_name="any")
            ),
            persistent_pb2.ReplayParkedResp,
        ),
        (
            f"{_PROJECTIONS}/Disable",
            projections_pb2.DisableReq(
                options=projections_pb2.DisableReq.Options(name="$by_category")
            ),
            projections_pb2.DisableResp,
        ),
        (
            f"{_PROJECTIONS}/State",
            projections_pb2.StateReq(options=projections_pb2.StateReq.Options(name="$by_category")),
            projections_pb2.StateResp,
        ),
    ],
)
def test_followers_are_silent(
    follower: EventStoreDBClient, method: str, request_: Message, answer: type[Message]
) -> None:
    """Replays and calls about projections get no answer from a follower, until the deadline."""
    with pytest.raises(grpc.RpcError) as late:
        call(follower.connection_target, method, request_, answer, seconds=0.2)
    assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_the_groups_of_a_follower_cannot_be_restarted(follower: EventStoreDBClient) -> None:
    """RestartSubsystem fails on a follower as a group does, and names no leader."""
    method, empty = f"{_GROUPS}/RestartSubsystem", shared_pb2.Empty
    with pytest.raises(grpc.RpcError, match="run at the leader") as refused:
        call(follower.connection_target, method, empty(), empty)
    assert refused.value.code() == grpc.StatusCode.INTERNAL
