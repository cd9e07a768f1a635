"""What tests of a cluster ask of its members, and do to them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import uuid4

import grpc
from esdbclient import EventStoreDBClient, NewEvent, StreamState
from esdbclient.exceptions import EventStoreDBClientException, NotFound, WrongCurrentVersion
from esdbclient.protos.Grpc import gossip_pb2, shared_pb2, streams_pb2
from google.protobuf import empty_pb2
from google.protobuf.message import Message

from embedded_eventstoredb import NodeProcess
from waiting import PATIENCE

_Answer = TypeVar("_Answer")
_STREAMS = "event_store.client.streams.Streams"
_FINAL = (NotFound, WrongCurrentVersion)


@contextmanager
def client_of(cluster: NodeProcess, preference: str) -> Iterator[EventStoreDBClient]:
    with EventStoreDBClient(f"{cluster.uri}&NodePreference={preference}") as client:
        yield client


@contextmanager
def member(target: str) -> Iterator[EventStoreDBClient]:
    """A client of that member alone, whatever it is."""
    with EventStoreDBClient(f"esdb://{target}?Tls=false&NodePreference=random") as client:
        yield client


def roles(target: str) -> dict[str, tuple[str, bool]]:
    """The state of each member in that member's gossip, and whether it is alive."""
    method = "event_store.client.gossip.Gossip/Read"
    info = call(target, method, shared_pb2.Empty(), gossip_pb2.ClusterInfo)
    assert isinstance(info, gossip_pb2.ClusterInfo)
    return {
        f"{one.http_end_point.address}:{one.http_end_point.port}": (
            gossip_pb2.MemberInfo.VNodeState.Name(one.state),
            one.is_alive,
        )
        for one in info.members
    }


def leader_of(cluster: NodeProcess) -> str:
    """The member that leads and writes, once there is one."""
    alive = [target for target in cluster.targets if is_alive(target)]

    def look() -> str:
        found = roles(alive[0])
        leader = next(target for target, (state, _) in found.items() if state == "Leader")
        assert batch(leader, "probe-1").WhichOneof("result") == "success"
        return leader

    return insist(look)


def is_alive(target: str) -> bool:
    try:
        return bool(roles(target))
    except grpc.RpcError:
        return False


def insist(look: Callable[[], _Answer]) -> _Answer:
    """What it answers, once members have elected: until then it is tried again."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return look()
        except _FINAL:
            raise
        except (EventStoreDBClientException, grpc.RpcError, StopIteration, AssertionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def append(client: EventStoreDBClient, stream: str, expected: int | StreamState) -> None:
    """One event, tried again with the same id until it is written."""
    event = NewEvent("Happened", b"{}")
    insist(lambda: client.append_to_stream(stream, current_version=expected, events=[event]))


def batch(target: str, stream: str, seconds: float = PATIENCE) -> streams_pb2.BatchAppendResp:
    """The answer to one event in a BatchAppend call to that member."""
    request = streams_pb2.BatchAppendReq(
        options=streams_pb2.BatchAppendReq.Options(
            stream_identifier=shared_pb2.StreamIdentifier(stream_name=stream.encode()),
            any=empty_pb2.Empty(),
        ),
        correlation_id=shared_pb2.UUID(string="00000000-0000-0000-0000-000000000001"),
        proposed_messages=[proposed(streams_pb2.BatchAppendReq.ProposedMessage)],
        is_final=True,
    )
    with grpc.insecure_channel(target) as channel:
        stub = channel.stream_stream(
            f"/{_STREAMS}/BatchAppend",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=streams_pb2.BatchAppendResp.FromString,
        )
        answer: streams_pb2.BatchAppendResp = next(iter(stub(iter([request]), timeout=seconds)))
        return answer


def plain_append(target: str, stream: str) -> None:
    """One event by an Append call to that member. Raises grpc.RpcError."""
    options = streams_pb2.AppendReq.Options(
        stream_identifier=shared_pb2.StreamIdentifier(stream_name=stream.encode()),
        any=shared_pb2.Empty(),
    )
    event = proposed(streams_pb2.AppendReq.ProposedMessage)
    requests = [
        streams_pb2.AppendReq(options=options),
        streams_pb2.AppendReq(proposed_message=event),
    ]
    with grpc.insecure_channel(target) as channel:
        stub = channel.stream_unary(
            f"/{_STREAMS}/Append",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=streams_pb2.AppendResp.FromString,
        )
        stub(iter(requests), timeout=PATIENCE)


def proposed(kind: Any) -> Any:
    metadata = {"type": "Happened", "content-type": "application/json"}
    return kind(id=shared_pb2.UUID(string=str(uuid4())), metadata=metadata, data=b"{}")


def call(
    target: str, method: str, request: Message, answer: type[Message], seconds: float = PATIENCE
) -> Message:
    """A call of one request and one answer. Raises grpc.RpcError."""
    with grpc.insecure_channel(target) as channel:
        stub = channel.unary_unary(
            f"/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString,
        )
        found: Message = stub(request, timeout=seconds)
        return found


def operate(target: str, method: str = "ResignNode") -> None:
    """A call of the Operations service with an empty request and an empty answer."""
    service = "event_store.client.operations.Operations"
    call(target, f"{service}/{method}", shared_pb2.Empty(), shared_pb2.Empty)


def versions(client: EventStoreDBClient, stream: str) -> list[int]:
    return [event.stream_position for event in client.get_stream(stream)]
