"""Corners of the protocol that esdbclient does not use, and other clients do."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from esdbclient import AsyncEventStoreDBClient, NewEvent, StreamState
from esdbclient.protos.Grpc import gossip_pb2_grpc, shared_pb2, streams_pb2, streams_pb2_grpc

from embedded_eventstoredb import NodeProcess
from writing import BatchAppendReq, identifier, part

Empty = shared_pb2.Empty()


def trailers(error: grpc.aio.AioRpcError) -> dict[str, str | bytes]:
    metadata: Any = error.trailing_metadata()  # pairs, which the stubs do not know
    return dict(iter(metadata))


@pytest.mark.parametrize("missing", ["type", "content-type"])
async def test_required_metadata(
    stub: streams_pb2_grpc.StreamsStub, stream: str, missing: str
) -> None:
    """An append without type or content type is refused, with trailers that name the property."""
    options = streams_pb2.AppendReq.Options(stream_identifier=identifier(stream), any=Empty)
    metadata = {"type": "Happened", "content-type": "application/json"}
    del metadata[missing]
    message = streams_pb2.AppendReq.ProposedMessage(
        id=shared_pb2.UUID(string=str(uuid4())), metadata=metadata
    )
    requests = [
        streams_pb2.AppendReq(options=options),
        streams_pb2.AppendReq(proposed_message=message),
    ]
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stub.Append(iter(requests))
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert raised.value.details() == f"Required Metadata Property '{missing}' is missing"
    assert trailers(raised.value) == {
        "exception": "missing-required-metadata-property",
        "required-metadata-properties": "type,content-type",
    }


async def test_trailers(
    stub: streams_pb2_grpc.StreamsStub, client: AsyncEventStoreDBClient, stream: str
) -> None:
    """Errors carry the trailers that clients of other languages switch on."""
    options = streams_pb2.DeleteReq.Options(stream_identifier=identifier(stream), revision=3)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stub.Delete(streams_pb2.DeleteReq(options=options))
    assert trailers(raised.value) == {
        "exception": "wrong-expected-version",
        "stream-name": stream,
        "expected-version": "3",
        "actual-version": "-1",
    }
    await client.tombstone_stream(stream, current_version=StreamState.ANY)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stub.Delete(streams_pb2.DeleteReq(options=options))
    assert trailers(raised.value) == {
        "exception": "stream-deleted",
        "stream-name": stream,
    }


async def test_wrong_version_of_old_clients(
    stub: streams_pb2_grpc.StreamsStub, stream: str
) -> None:
    """A conflict on Append is an answer, in the fields of today and those of version 20.6."""
    options = streams_pb2.AppendReq.Options(stream_identifier=identifier(stream), revision=3)
    response = await stub.Append(iter([streams_pb2.AppendReq(options=options)]))
    wrong = response.wrong_expected_version
    assert (wrong.expected_revision, wrong.expected_revision_20_6_0) == (3, 3)
    assert wrong.HasField("current_no_stream")
    assert wrong.HasField("no_stream_20_6_0")


def read_request(stream: str, **options: object) -> streams_pb2.ReadReq:
    request = streams_pb2.ReadReq()
    request.options.stream.stream_identifier.CopyFrom(identifier(stream))
    request.options.stream.start.SetInParent()
    request.options.count = 10
    request.options.uuid_option.structured.SetInParent()
    request.options.no_filter.SetInParent()
    request.options.MergeFrom(streams_pb2.ReadReq.Options(**options))  # type: ignore[arg-type]  # kept open
    return request


async def test_structured_ids_and_positions(
    stub: streams_pb2_grpc.StreamsStub, client: AsyncEventStoreDBClient, stream: str
) -> None:
    """Ids come as two numbers for clients that want them so, and compatible ones get the end."""
    event = NewEvent("Happened", b"{}")
    await client.append_to_stream(stream, current_version=StreamState.ANY, events=[event])
    compatible = streams_pb2.ReadReq.Options.ControlOption(compatibility=1)
    first, last = [
        response async for response in stub.Read(read_request(stream, control_option=compatible))
    ]
    structured = first.event.event.id.structured
    halves = (structured.most_significant_bits, structured.least_significant_bits)
    assert b"".join(half.to_bytes(8, "big", signed=True) for half in halves) == event.id.bytes
    assert last.last_stream_position == 0


async def test_id_form_is_required(stub: streams_pb2_grpc.StreamsStub, stream: str) -> None:
    """A read that does not say how it wants ids is refused."""
    request = read_request(stream)
    request.options.ClearField("uuid_option")
    with pytest.raises(grpc.aio.AioRpcError, match="uuidOption"):
        [response async for response in stub.Read(request)]


async def test_gossip_needs_no_leader(channel: grpc.aio.Channel) -> None:
    """Gossip is answered to a client that requires a leader."""
    gossip = gossip_pb2_grpc.GossipStub(channel)  # type: ignore[no-untyped-call]  # generated
    info = await gossip.Read(Empty, metadata=(("requires-leader", "true"),))
    assert [member.is_alive for member in info.members] == [True]


async def test_server_features(channel: grpc.aio.Channel) -> None:
    """The server reports its version and methods, which clients in other languages request."""
    method = "/event_store.client.server_features.ServerFeatures/GetSupportedMethods"
    call = channel.unary_unary(method, bytes, bytes)
    answer = await call(b"")
    for text in (b"24.10.4", b"event_store.client.streams.streams", b"batchappend", b"position"):
        assert text in answer


@pytest.fixture(scope="module", params=["alone", "with users", "a follower"])
def member(request: pytest.FixtureRequest) -> Iterator[grpc.Channel]:
    """A channel to each kind of node."""
    kind = request.param
    with NodeProcess(tls=kind == "with users", cluster=kind == "a follower") as node:
        address, _, options = node.uri.removeprefix("esdb://").partition("?")
        target = address.rpartition("@")[2].split(",")[-1]
        if kind != "with users":
            with grpc.insecure_channel(target) as channel:
                yield channel
            return
        authority = Path(options.partition("TlsCaFile=")[2]).read_bytes()
        with grpc.secure_channel(target, grpc.ssl_channel_credentials(authority)) as channel:
            yield channel


@pytest.mark.parametrize(
    "method",
    [
        "monitoring.Monitoring/Stats",
        "operations.Operations/Nope",
        "redaction.Redaction/GetEventPositions",
    ],
)
def test_what_is_not_there(member: grpc.Channel, method: str) -> None:
    """A call that the node does not have ends with UNIMPLEMENTED, on every kind of node."""
    call = member.unary_unary(f"/event_store.client.{method}", bytes, bytes)
    with pytest.raises(grpc.RpcError) as raised:
        call(b"", metadata=(("requires-leader", "true"),))
    assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_open_calls_do_not_hold_up_each_other(
    stub: streams_pb2_grpc.StreamsStub, client: AsyncEventStoreDBClient, stream: str
) -> None:
    """An incomplete append does not block others."""

    async def incomplete() -> AsyncIterator[BatchAppendReq]:
        yield part(stream=stream, final=False)
        await asyncio.Event().wait()

    call = stub.BatchAppend(incomplete())
    await call.wait_for_connection()
    event = NewEvent("Happened", b"{}")
    await client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=[event])
    call.cancel()
