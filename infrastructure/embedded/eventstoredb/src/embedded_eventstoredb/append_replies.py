"""The answers of Append and BatchAppend: a position, or the conflict."""

import math
import time
from typing import Final

from esdbclient.protos.Grpc import code_pb2, shared_pb2, status_pb2, streams_pb2
from google.protobuf import any_pb2
from google.protobuf.message import Message

from embedded_eventstoredb.errors import (
    EXPECT_ANY,
    EXPECT_EXISTS,
    EXPECT_NO_STREAM,
    AccessDenied,
    CommitTimeout,
    MaximumAppendSizeExceeded,
    NotReady,
    Refusal,
    StreamDeleted,
    WrongExpectedVersion,
)
from embedded_eventstoredb.storage import Appended
from embedded_eventstoredb.wire import NO_REVISION

_COMMIT_TIMEOUT: Final = 2.0


def appended(result: Appended) -> streams_pb2.AppendResp:
    success = streams_pb2.AppendResp.Success()
    if result.last_version < 0:
        success.no_stream.SetInParent()
    else:
        success.current_revision = result.last_version
    success.position.commit_position = success.position.prepare_position = result.position
    return streams_pb2.AppendResp(success=success)


def conflicted(conflict: WrongExpectedVersion, option: str | None) -> streams_pb2.AppendResp:
    """The answer to a conflict, which is not an error; old clients read the fields named 20_6_0.

    ``option`` is the field in which the client gave the expected version: some express "no stream"
    by a revision.
    """
    wrong = streams_pb2.AppendResp.WrongExpectedVersion()
    if conflict.actual < 0:
        wrong.current_no_stream.SetInParent()
        wrong.no_stream_20_6_0.SetInParent()
    else:
        wrong.current_revision = wrong.current_revision_20_6_0 = conflict.actual
    match conflict.expected:
        case expected if expected == EXPECT_ANY:
            wrong.expected_any.SetInParent()
            wrong.any_20_6_0.SetInParent()
        case expected if expected == EXPECT_EXISTS:
            wrong.expected_stream_exists.SetInParent()
            wrong.stream_exists_20_6_0.SetInParent()
        case expected if expected == EXPECT_NO_STREAM:
            wrong.expected_revision_20_6_0 = NO_REVISION
            if option == "revision":
                wrong.expected_revision = NO_REVISION
            else:
                wrong.expected_no_stream.SetInParent()
        case expected:
            wrong.expected_revision = wrong.expected_revision_20_6_0 = expected
    return streams_pb2.AppendResp(wrong_expected_version=wrong)


def batch_appended(
    correlation: shared_pb2.UUID, stream: bytes, result: Appended
) -> streams_pb2.BatchAppendResp:
    response = _batch_response(correlation, stream)
    if result.last_version < 0:
        response.success.no_stream.SetInParent()
    else:
        response.success.current_revision = result.last_version
    position = response.success.position
    position.commit_position = position.prepare_position = result.position
    return response


def batch_refused(
    correlation: shared_pb2.UUID, stream: bytes, refusal: Refusal
) -> streams_pb2.BatchAppendResp:
    response = _batch_response(correlation, stream)
    response.error.CopyFrom(_status(refusal))
    return response


def batch_late(correlation: shared_pb2.UUID, stream: bytes) -> streams_pb2.BatchAppendResp:
    """The answer to an append whose time is up."""
    response = _batch_response(correlation, stream)
    late = _pack("Timeout", code_pb2.DEADLINE_EXCEEDED, shared_pb2.Timeout())
    response.error.CopyFrom(late)
    return response


def time_left(options: streams_pb2.BatchAppendReq.Options) -> float:
    """Seconds until the deadline that the client gave for an append."""
    match options.WhichOneof("deadline_option"):
        case "deadline":
            return options.deadline.seconds + options.deadline.nanos / 1e9
        case "deadline_21_10_0":
            return options.deadline_21_10_0.seconds - time.time()
        case _:
            return math.inf


def until_commit_timeout() -> float:
    """Seconds until a write that is not committed is answered: 2, rounded up to a full second."""
    now = time.monotonic()
    return math.ceil(now + _COMMIT_TIMEOUT) - now


def _batch_response(correlation: shared_pb2.UUID, stream: bytes) -> streams_pb2.BatchAppendResp:
    return streams_pb2.BatchAppendResp(
        correlation_id=correlation,
        stream_identifier=shared_pb2.StreamIdentifier(stream_name=stream),
    )


def _status(refusal: Refusal) -> status_pb2.Status:
    match refusal:
        case WrongExpectedVersion():
            return _pack("WrongExpectedVersion", code_pb2.ALREADY_EXISTS, _conflict(refusal))
        case StreamDeleted(stream=stream):
            name = shared_pb2.StreamIdentifier(stream_name=stream.encode())
            deleted = shared_pb2.StreamDeleted(stream_identifier=name)
            return _pack("StreamDeleted", code_pb2.NOT_FOUND, deleted)
        case AccessDenied():
            denied = shared_pb2.AccessDenied()
            return _pack("AccessDenied", code_pb2.PERMISSION_DENIED, denied)
        case MaximumAppendSizeExceeded(maximum=maximum):
            exceeded = shared_pb2.MaximumAppendSizeExceeded(maxAppendSize=maximum)
            return _pack("MaximumAppendSizeExceeded", code_pb2.INVALID_ARGUMENT, exceeded)
        case NotReady():
            return _pack(refusal.text, code_pb2.OK, shared_pb2.Empty())
        case CommitTimeout():
            return _pack("Timeout", code_pb2.DEADLINE_EXCEEDED, shared_pb2.Timeout())
        case _:
            bad = shared_pb2.BadRequest(message=refusal.text)
            return _pack("BadRequest", code_pb2.INVALID_ARGUMENT, bad)


def _conflict(conflict: WrongExpectedVersion) -> shared_pb2.WrongExpectedVersion:
    wrong = shared_pb2.WrongExpectedVersion()
    if conflict.actual < 0:
        wrong.current_no_stream.SetInParent()
    else:
        wrong.current_stream_revision = conflict.actual
    match conflict.expected:
        case expected if expected == EXPECT_ANY:
            wrong.expected_any.SetInParent()
        case expected if expected == EXPECT_EXISTS:
            wrong.expected_stream_exists.SetInParent()
        case expected if expected == EXPECT_NO_STREAM:
            wrong.expected_no_stream.SetInParent()
        case expected:
            wrong.expected_stream_position = expected
    return wrong


def _pack(text: str, code: code_pb2.Code.ValueType, detail: Message) -> status_pb2.Status:
    details = any_pb2.Any()
    details.Pack(detail)
    return status_pb2.Status(code=code, message=text, details=details)
