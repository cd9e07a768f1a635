"""Messages of Append and BatchAppend, built by hand: what esdbclient does not send."""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from esdbclient.protos.Grpc import shared_pb2, streams_pb2, streams_pb2_grpc

AppendReq = streams_pb2.AppendReq
BatchAppendReq = streams_pb2.BatchAppendReq
NO_REVISION = 2**64 - 1


def identifier(stream: str) -> shared_pb2.StreamIdentifier:
    return shared_pb2.StreamIdentifier(stream_name=stream.encode())


def proposed(
    event_id: str = "", data: bytes = b"x", custom_metadata: bytes = b"", **metadata: str
) -> BatchAppendReq.ProposedMessage:
    """A message of a batch; ``metadata`` replaces type and content type."""
    message = BatchAppendReq.ProposedMessage(
        id=shared_pb2.UUID(string=event_id or str(uuid4())),
        data=data,
        custom_metadata=custom_metadata,
    )
    named = metadata or {"type": "Happened", "content_type": "application/json"}
    for key, value in named.items():
        message.metadata[key.replace("_", "-")] = value
    return message


def part(
    correlation: str = "",
    stream: str = "",
    *messages: BatchAppendReq.ProposedMessage,
    final: bool = True,
    seconds: float = 10,
    revision: int | None = None,
) -> BatchAppendReq:
    """A part of a batch, with options where it names a stream; expects any version or that."""
    request = BatchAppendReq(
        correlation_id=shared_pb2.UUID(string=correlation or str(uuid4())),
        proposed_messages=messages or [proposed()],
        is_final=final,
    )
    if stream:
        request.options.stream_identifier.CopyFrom(identifier(stream))
        request.options.deadline.FromNanoseconds(int(seconds * 1e9))
        if revision is None:
            request.options.any.SetInParent()
        else:
            request.options.stream_position = revision
    return request


async def batch(
    stub: streams_pb2_grpc.StreamsStub, *requests: BatchAppendReq
) -> list[streams_pb2.BatchAppendResp]:
    """All answers to these requests on one call."""
    return [response async for response in stub.BatchAppend(iter(requests))]


def append_options(stream: str, revision: int | None = None) -> AppendReq:
    """What a plain append begins with; expects any version or that."""
    options = AppendReq.Options(stream_identifier=identifier(stream))
    if revision is None:
        options.any.SetInParent()
    else:
        options.revision = revision
    return AppendReq(options=options)


def append_message(**parts: Any) -> AppendReq:
    """A message of a plain append, from the parts of ``proposed``."""
    message = proposed(**parts)
    return AppendReq(
        proposed_message=AppendReq.ProposedMessage(
            id=message.id,
            metadata=message.metadata,
            data=message.data,
            custom_metadata=message.custom_metadata,
        )
    )


def plain(stream: str, *messages: AppendReq, revision: int | None = None) -> Iterable[AppendReq]:
    """All requests of a plain append."""
    return iter([append_options(stream, revision), *(messages or [append_message()])])
