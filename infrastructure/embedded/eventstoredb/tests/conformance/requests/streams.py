"""Appending to streams by plain Append, and deleting them."""

from collections.abc import Sequence
from typing import Final, TypeAlias
from uuid import uuid4

from esdbclient.protos.Grpc import streams_pb2

from conformance.node import Node
from conformance.normal_form import told
from conformance.requests.fields import Fields, encoded, filled, stream

Expected: TypeAlias = int | str  # a version, or one of these words
_EXPECTED: Final = {"any": "any", "none": "noStream", "exists": "streamExists"}
_JSON: Final = "application/json"


def event(
    kind: str = "Happened",
    data: str | bytes = "{}",
    meta: str | bytes = "",
    *,
    event_id: str | None = None,
    content_type: str = _JSON,
) -> dict[str, object]:
    """An event to append, with a new id unless one is given."""
    return {
        "id": {"string": str(uuid4()) if event_id is None else event_id},
        "metadata": {"type": kind, "content-type": content_type},
        "customMetadata": encoded(meta),
        "data": encoded(data),
    }


def expected(version: Expected, exactly: str = "revision") -> Fields:
    """The fields that say which version the stream must have."""
    return {exactly: version} if isinstance(version, int) else {_EXPECTED[version]: {}}


async def append(
    node: Node, name: str, events: Sequence[Fields], version: Expected = "any"
) -> object:
    """What one Append call is answered."""
    proposed = [{"proposedMessage": one} for one in events]
    return await append_raw(node, append_options(name, version), *proposed)


async def ten(node: Node) -> str:
    """A new stream of ten events, of the types 0 to 9."""
    name = node.fresh("ten")
    await append(node, name, [event(str(number)) for number in range(10)])
    return name


async def append_raw(node: Node, *requests: Fields) -> object:
    """What an Append call of exactly these requests is answered."""
    return await told(_append(node, requests))


async def position_of(node: Node, name: str, kind: str) -> tuple[int, int]:
    """Appends an event of that type; its commit and prepare position."""
    requests = [append_options(name, "any"), {"proposedMessage": event(kind)}]
    position = (await _append(node, requests)).success.position
    return position.commit_position, position.prepare_position


async def _append(node: Node, requests: Sequence[Fields]) -> streams_pb2.AppendResp:
    messages = [filled(streams_pb2.AppendReq(), one) for one in requests]
    return await node.upload("streams.Streams/Append", messages, streams_pb2.AppendResp)


async def delete(node: Node, name: str, version: Expected = "any") -> object:
    """What a soft delete is answered."""
    request = filled(streams_pb2.DeleteReq(), append_options(name, version))
    return await told(node.ask("streams.Streams/Delete", request, streams_pb2.DeleteResp))


async def tombstone(node: Node, name: str, version: Expected = "any") -> object:
    """What a hard delete is answered."""
    request = filled(streams_pb2.TombstoneReq(), append_options(name, version))
    return await told(node.ask("streams.Streams/Tombstone", request, streams_pb2.TombstoneResp))


def append_options(name: str, version: Expected) -> Fields:
    """The fields that say which stream, and which version it must have."""
    return {"options": {"streamIdentifier": stream(name), **expected(version)}}
