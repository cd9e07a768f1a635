"""One append on the wire. The client returns its position in ``$all``, but not its version.

So the client makes the request, and the answer is read here.
"""

from dataclasses import dataclass
from uuid import uuid4

from esdbclient import NewEvent as ClientEvent
from esdbclient import StreamState
from esdbclient.asyncio_client import autoreconnect
from esdbclient.exceptions import AppendDeadlineExceeded
from esdbclient.protos.Grpc.shared_pb2 import WrongExpectedVersion as WrongVersion
from esdbclient.protos.Grpc.streams_pb2 import BatchAppendResp
from esdbclient.streams import AsyncStreamsService

from application.ports import NO_STREAM, Appended, WrongExpectedVersion
from infrastructure.eventstoredb.client import Client, in_the_clients_words
from infrastructure.eventstoredb.places import place, required


@dataclass(frozen=True)
class Append:
    """Events for the end of a stream, whose last version is ``expected``."""

    stream: str
    expected: int
    events: list[ClientEvent]


@autoreconnect
async def batch_append(client: Client, append: Append, within: float) -> Appended | None:
    """The version and position of the events; ``None`` if the answer does not have them.

    The server has ``within`` seconds. Raises :class:`WrongExpectedVersion`, and the client's
    errors; after those that ``unavailable`` handles, the events may have been written. If the
    connection is unusable, it tries once more on a new one.
    """
    streams = client._connection.streams
    request = AsyncStreamsService._construct_batch_append_req(
        append.stream, _state(append.expected), append.events, uuid4(), within
    )
    with in_the_clients_words():
        call = streams._stub.BatchAppend(
            iter([request]),
            timeout=within,
            metadata=streams._metadata(client._call_metadata, requires_leader=True),
            credentials=client._call_credentials,
        )
        try:
            async for answer in call:
                return _understood(answer, append)
        finally:
            call.cancel()
    raise AppendDeadlineExceeded("the call has ended without an answer")


def _state(expected: int) -> int | StreamState:
    return StreamState.NO_STREAM if expected == NO_STREAM else expected


def _understood(answer: BatchAppendResp, append: Append) -> Appended | None:
    if answer.WhichOneof("result") == "success":
        return _appended(answer.success)
    wrong = WrongVersion()
    if answer.error.details.Unpack(wrong):
        raise WrongExpectedVersion(append.stream, append.expected, _actual(wrong))
    AsyncStreamsService._convert_batch_append_resp(answer, append.stream, append.expected)
    raise AssertionError  # it raises what it finds


def _appended(success: BatchAppendResp.Success) -> Appended | None:
    version = place(success.current_revision) if success.HasField("current_revision") else None
    position = place(success.position.commit_position) if success.HasField("position") else None
    return None if version is None or position is None else Appended(version, position)


def _actual(wrong: WrongVersion) -> int:
    if wrong.WhichOneof("current_stream_revision_option") == "current_stream_revision":
        return required(wrong.current_stream_revision, "the last version of a stream")
    return NO_STREAM
