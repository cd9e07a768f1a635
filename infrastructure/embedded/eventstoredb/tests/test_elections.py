"""The answers of a cluster without a leader, and of a leader without followers."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from esdbclient import StreamState
from esdbclient.protos.Grpc import code_pb2, shared_pb2

from clusters import (
    append,
    batch,
    client_of,
    leader_of,
    member,
    plain_append,
    roles,
    versions,
)
from consumer import Consumer
from embedded_eventstoredb import NodeProcess
from groups import info
from waiting import eventually

ELECTION = 0.6
STOP = 5.0  # seconds


@pytest.fixture
def cluster() -> Iterator[NodeProcess]:
    with NodeProcess(cluster=True, election_time=ELECTION) as node:
        yield node


def test_an_election_takes_its_time(cluster: NodeProcess, stream: str) -> None:
    """Until the next leader takes up its work, writes are answered that the server is not ready.

    A batch is answered so with an error of code 0, which is no code of an error.
    """
    lost, beside, _ = cluster.targets
    assert leader_of(cluster) == lost
    started = time.monotonic()
    cluster.take_down(lost)
    answer = batch(beside, stream).error
    assert (answer.code, answer.message) == (code_pb2.OK, "Server Is Not Ready")
    assert answer.details.Is(shared_pb2.Empty.DESCRIPTOR)
    with pytest.raises(grpc.RpcError, match="Server Is Not Ready") as refused:
        plain_append(beside, stream)
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    assert {state for state, _ in roles(beside).values()} == {"Unknown"}
    assert leader_of(cluster) != lost
    assert time.monotonic() - started > ELECTION


def test_what_a_leader_alone_takes_on(cluster: NodeProcess, stream: str) -> None:
    """Without its followers a leader lets writes time out, and then it leads no longer.

    What timed out is in the stream when they are back.
    """
    leader, *followers = cluster.targets
    assert leader_of(cluster) == leader
    for follower in followers:
        cluster.take_down(follower)
    with ThreadPoolExecutor() as threads:
        batched = threads.submit(batch, leader, stream)
        with pytest.raises(grpc.RpcError, match="Operation timed out: Commit phase tim") as late:
            plain_append(leader, stream)
        answer = batched.result().error
    assert late.value.code() == grpc.StatusCode.ABORTED
    assert (answer.code, answer.message) == (code_pb2.DEADLINE_EXCEEDED, "Timeout")
    eventually(lambda: roles(leader)[leader], ("Unknown", True))
    with pytest.raises(grpc.RpcError, match="Server Is Not Ready"):
        plain_append(leader, stream)
    for follower in followers:
        cluster.bring_back(follower)
    with member(leader_of(cluster)) as client:
        assert versions(client, stream) == [0, 1]


def test_a_leader_that_was_alone_for_a_moment(cluster: NodeProcess, stream: str) -> None:
    """What it takes on is answered as ever when a follower is back before it times out."""
    leader, *followers = cluster.targets
    assert leader_of(cluster) == leader
    for follower in followers:
        cluster.take_down(follower)
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(batch, leader, stream)
        cluster.bring_back(followers[0])
        assert waiting.result().WhichOneof("result") == "success"
    assert roles(leader)[leader] == ("Leader", True)


def test_the_end_of_a_leader_alone(cluster: NodeProcess, stream: str, group: str) -> None:
    """A cluster without a majority stops at once, though an acknowledgement waits for one."""
    with client_of(cluster, "leader") as client:
        append(client, stream, StreamState.NO_STREAM)
        client.create_subscription_to_stream(group, stream, max_checkpoint_count=1)
        with Consumer(client, group, stream) as consumer:
            events = consumer.take(1)
            for follower in cluster.targets[1:]:
                cluster.take_down(follower)
            consumer.ack(events)
            eventually(lambda: info(client, group, stream).total_in_flight_messages, 0)
            started = time.monotonic()
            cluster.stop()
            stopped = time.monotonic()
    assert stopped - started < STOP
