"""Converts between the protocol's messages and the log's records."""

import struct
from collections.abc import Mapping
from typing import Final, Protocol
from uuid import UUID

from esdbclient.protos.Grpc import persistent_pb2, shared_pb2, streams_pb2

from embedded_eventstoredb.errors import (
    EXPECT_ANY,
    EXPECT_EXISTS,
    EXPECT_NO_STREAM,
    invalid_argument,
    metadata_missing,
)
from embedded_eventstoredb.storage import MAX_VERSION, NewRecord, Record, id_text
from embedded_eventstoredb.streams import Resolved

NO_REVISION: Final = 2**64 - 1
"""The revision that some clients send for "no stream"."""

_DIGITS: Final = 32  # of an id
_HALVES: Final = struct.Struct(">qq")
_JSON: Final = "application/json"
_BINARY: Final = "application/octet-stream"

_ReadResp = streams_pb2.ReadResp
RecordedEvent = (
    streams_pb2.ReadResp.ReadEvent.RecordedEvent | persistent_pb2.ReadResp.ReadEvent.RecordedEvent
)


class Proposed(Protocol):
    """A proposed message of any append call."""

    @property
    def id(self) -> shared_pb2.UUID: ...
    @property
    def metadata(self) -> Mapping[str, str]: ...
    @property
    def custom_metadata(self) -> bytes: ...
    @property
    def data(self) -> bytes: ...


def new_record(message: Proposed) -> NewRecord:
    """The record to append. Raises a Refusal that names missing metadata."""
    metadata = message.metadata
    event_type = metadata.get("type")
    if event_type is None:
        raise metadata_missing("type")
    content_type = metadata.get("content-type")
    if content_type is None:
        raise metadata_missing("content-type")
    if not event_type:
        raise invalid_argument("Empty eventType provided.")
    record_id = id_bytes(message.id)
    if not any(record_id):
        raise invalid_argument("Empty eventId provided.")
    is_json = content_type == _JSON
    return NewRecord(event_type, message.data, message.custom_metadata, is_json, record_id)


def id_bytes(message: shared_pb2.UUID) -> bytes:
    """An id in either of its two forms. Raises a Refusal."""
    if message.WhichOneof("value") == "structured":
        halves = message.structured
        return _HALVES.pack(halves.most_significant_bits, halves.least_significant_bits)
    digits = message.string.replace("-", "")
    plain = len(digits) == _DIGITS and digits.isalnum()  # the other way is five times as slow
    try:
        return bytes.fromhex(digits) if plain else UUID(message.string).bytes
    except ValueError as error:
        raise invalid_argument(f"'{message.string}' is not an event id: give a UUID") from error


def given_name(identifier: shared_pb2.StreamIdentifier) -> str:
    """The stream name as the client gives it, which may be one that cannot hold events.

    Raises a Refusal.
    """
    try:
        return identifier.stream_name.decode()
    except UnicodeDecodeError as error:
        raise invalid_argument("A stream's name is UTF-8 text.") from error


def stream_name(identifier: shared_pb2.StreamIdentifier) -> str:
    """The name of a stream that can hold events. Raises a Refusal."""
    name = given_name(identifier)
    if name in ("", "$$", "$all"):
        raise invalid_argument(f"'{name}' is not the name of a stream.")
    return name


def expected_version(expected: str | None, version: int) -> int:
    """The expected version in a request's oneof. Raises a Refusal."""
    match expected:
        case "revision" | "stream_position" if version == NO_REVISION:
            return EXPECT_NO_STREAM
        case "revision" | "stream_position" if version > MAX_VERSION:
            raise invalid_argument(f"{version} is not a revision: the highest is {MAX_VERSION}.")
        case "revision" | "stream_position":
            return version
        case "any":
            return EXPECT_ANY
        case "no_stream":
            return EXPECT_NO_STREAM
        case "stream_exists":
            return EXPECT_EXISTS
        case _:
            raise invalid_argument("The expected stream revision is missing.")


def event_message(resolved: Resolved, *, structured_ids: bool) -> bytes:
    """A ReadResp with an event, as it goes over the wire."""
    response = _ReadResp()
    event = response.event
    event.commit_position = resolved.original.position
    if resolved.event is not None:
        at = resolved.event.position
        put_record(event.event, resolved.event, at, structured_ids=structured_ids)
    if resolved.link is not None:
        at = resolved.link.position
        put_record(event.link, resolved.link, at, structured_ids=structured_ids)
    return response.SerializeToString()


def put_record(
    message: RecordedEvent, record: Record, position: int, *, structured_ids: bool
) -> None:
    """Fill a message with a record, which is shown at that position of the log.

    It is filled in place, since assigning a message copies it, and this runs for every event.
    """
    _put_id(message.id, record.id, structured=structured_ids)
    message.stream_identifier.stream_name = record.stream.encode()
    message.stream_revision = record.version
    message.prepare_position = message.commit_position = position
    metadata = message.metadata
    metadata["type"] = record.type
    metadata["created"] = str(record.created)
    metadata["content-type"] = _JSON if record.is_json else _BINARY
    message.custom_metadata = record.metadata
    message.data = record.data


def _put_id(message: shared_pb2.UUID, record_id: bytes, *, structured: bool) -> None:
    """Set the id in the form that the client requested."""
    if structured:
        halves = message.structured
        halves.most_significant_bits, halves.least_significant_bits = _HALVES.unpack(record_id)
    else:
        message.string = id_text(record_id)
