"""Refusals, with the status, text and trailers of EventStoreDB 24.10."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import grpc

EXPECT_ANY: Final = -2
EXPECT_NO_STREAM: Final = -1
EXPECT_EXISTS: Final = -4

_READ_OUT: Final = 1.0  # seconds
_LATE: Final = 0.002  # seconds; gRPC rounds a deadline of 0 up to a millisecond


class Refusal(Exception):
    """An answer that is an error: a gRPC status, its text, and the trailers that clients
    evaluate.
    """

    def __init__(
        self, code: grpc.StatusCode, text: str, exception: str = "", **trailers: str
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        named = {"exception": exception, **trailers} if exception else trailers
        self.trailers = tuple(
            (
                key.replace("_", "-"),
                value.encode("ascii", "replace").decode(),
            )  # gRPC accepts ASCII only
            for key, value in named.items()
            if value  # the server does not send a trailer without a value
        )


@asynccontextmanager
async def refusals_end(context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[None]:
    """End the call with the status of a Refusal raised within, or at once if its deadline is
    over.
    """
    left = context.time_remaining()
    if left is not None and left < _LATE:
        await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
    try:
        yield
    except Refusal as refusal:
        await context.abort(refusal.code, refusal.text, refusal.trailers)


async def read_out(requests: AsyncIterator[object], *, to_the_end: bool = True) -> None:
    """Read the first request of a call that will be refused, or all of them.

    Some clients take a refusal for a broken call while they are still sending. A client that sends
    nothing in time is refused, too.
    """
    with suppress(TimeoutError, Refusal):
        async with asyncio.timeout(_READ_OUT):
            async for _ in requests:
                if not to_the_end:
                    break


class WrongExpectedVersion(Refusal):
    """The stream is not at the expected version. ``actual`` is -1 if there is no stream."""

    def __init__(self, stream: str, expected: int, actual: int, operation: str = "Append") -> None:
        super().__init__(
            grpc.StatusCode.FAILED_PRECONDITION,
            f"{operation} failed due to WrongExpectedVersion. Stream: {stream}, "
            f"Expected version: {expected}, Actual version: {actual}",
            "wrong-expected-version",
            stream_name=stream,
            expected_version=str(expected),
            actual_version=str(actual),
        )
        self.stream, self.expected, self.actual = stream, expected, actual


class StreamDeleted(Refusal):
    """The stream is tombstoned, or soft-deleted where it was expected to exist."""

    def __init__(self, stream: str) -> None:
        super().__init__(
            grpc.StatusCode.FAILED_PRECONDITION,
            f"Event stream '{stream}' is deleted.",
            "stream-deleted",
            stream_name=stream,
        )
        self.stream = stream


class NotCommitted(Exception):
    """Another append with the same events is not committed yet.

    The server drops such an append: it is answered only after a timeout.
    """


class MaximumAppendSizeExceeded(Refusal):
    """The data of an append is larger than the maximum."""

    def __init__(self, maximum: int) -> None:
        super().__init__(
            grpc.StatusCode.INVALID_ARGUMENT,
            f"Maximum Append Size of {maximum} Exceeded.",
            "maximum-append-size-exceeded",
            maximum_append_size=str(maximum),
        )
        self.maximum = maximum


class AccessDenied(Refusal):
    """The caller is not allowed to do that, or gave no credentials."""

    def __init__(self) -> None:
        super().__init__(grpc.StatusCode.PERMISSION_DENIED, "Access Denied", "access-denied")


class NotReady(Refusal):
    """The node is starting or ending, or there is no leader: the same call may succeed a second
    later.
    """

    def __init__(self) -> None:
        super().__init__(grpc.StatusCode.UNAVAILABLE, "Server Is Not Ready")


class CommitTimeout(Refusal):
    """Too few members have the write. It is still committed when they are back."""

    def __init__(self) -> None:
        text = "Operation timed out: Commit phase timeout."
        super().__init__(grpc.StatusCode.ABORTED, text)


def not_leader(host: str, port: int) -> Refusal:
    """Another member leads; clients connect to it."""
    return Refusal(
        grpc.StatusCode.NOT_FOUND,
        "Leader info available",
        "not-leader",
        leader_endpoint_host=host,
        leader_endpoint_port=str(port),
    )


def not_recognised() -> Refusal:
    """A wrong name or password. The server answers in HTTP: this is what gRPC makes of that."""
    return Refusal(grpc.StatusCode.UNAUTHENTICATED, "Received http2 header with status: 401")


def user_missing(name: str) -> Refusal:
    text = f"User '{name}' is not found."
    return Refusal(grpc.StatusCode.NOT_FOUND, text, "user-not-found", login_name=name)


def user_exists(name: str) -> Refusal:
    code = grpc.StatusCode.FAILED_PRECONDITION
    return Refusal(code, "Conflict.", "user-conflict", login_name=name)


def message_too_large() -> Refusal:
    text = "Received message exceeds the maximum configured message size."
    return Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, text)


def metadata_missing(name: str) -> Refusal:
    return Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        f"Required Metadata Property '{name}' is missing",
        "missing-required-metadata-property",
        required_metadata_properties="type,content-type",
    )


def invalid_argument(text: str) -> Refusal:
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, text)


def invalid_position() -> Refusal:
    return invalid_argument("Trying to read from an invalid position.")


def unavailable(text: str) -> Refusal:
    return Refusal(grpc.StatusCode.UNAVAILABLE, text)


def group_missing(stream: str, group: str) -> Refusal:
    return _of_group(grpc.StatusCode.NOT_FOUND, "does not exist.", "does-not-exist", stream, group)


def group_exists(stream: str, group: str) -> Refusal:
    return _of_group(grpc.StatusCode.ALREADY_EXISTS, "exists.", "exists", stream, group)


def group_dropped(stream: str, group: str) -> Refusal:
    return _of_group(grpc.StatusCode.CANCELLED, "was dropped.", "dropped", stream, group)


def group_failed(stream: str, group: str, reason: str) -> Refusal:
    text = f"failed: '{reason}'"
    return _of_group(grpc.StatusCode.INTERNAL, text, "failed", stream, group, reason=reason)


def group_full(stream: str, group: str) -> Refusal:
    return Refusal(
        grpc.StatusCode.FAILED_PRECONDITION,
        f"Maximum subscriptions reached for subscription group {group} on stream {stream}.",
        "maximum-subscribers-reached",
        stream_name=stream,
        group_name=group,
    )


def _of_group(
    code: grpc.StatusCode, text: str, name: str, stream: str, group: str, **trailers: str
) -> Refusal:
    return Refusal(
        code,
        f"Subscription group {group} on stream {stream} {text}",
        f"persistent-subscription-{name}",
        stream_name=stream,
        group_name=group,
        **trailers,
    )
