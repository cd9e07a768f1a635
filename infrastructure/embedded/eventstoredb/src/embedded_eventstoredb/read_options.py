"""The options of a Read, checked as the server checks them."""

from typing import Final, NamedTuple

import grpc
from esdbclient.protos.Grpc import streams_pb2

from embedded_eventstoredb.access import ALL
from embedded_eventstoredb.errors import Refusal, invalid_argument
from embedded_eventstoredb.storage import MAX_VERSION
from embedded_eventstoredb.wire import stream_name

Options = streams_pb2.ReadReq.Options
_OPTIONS: Final = "EventStore.Client.Streams.ReadReq+Types+Options"
_UNSIGNED_MAX: Final = 2**64 - 1
_COMBINATIONS: Final = {
    ("Stream", "Count", "Forwards", "NoFilter"),
    ("Stream", "Count", "Backwards", "NoFilter"),
    ("Stream", "Subscription", "Forwards", "NoFilter"),
    ("All", "Count", "Forwards", "NoFilter"),
    ("All", "Count", "Forwards", "Filter"),
    ("All", "Count", "Backwards", "NoFilter"),
    ("All", "Count", "Backwards", "Filter"),
    ("All", "Subscription", "Forwards", "NoFilter"),
    ("All", "Subscription", "Forwards", "Filter"),
}


class Position(NamedTuple):
    """A position in ``$all``. A record is at (p, p); (p, 0) is just before it."""

    commit: int
    prepare: int


START: Final = Position(-1, -1)
END: Final = Position(_UNSIGNED_MAX, _UNSIGNED_MAX)  # this number in a request also means the end
END_VERSION: Final = _UNSIGNED_MAX


def source(options: streams_pb2.ReadReq.Options) -> str:
    """The stream to read, or ``$all``. Raises a Refusal."""
    match options.WhichOneof("stream_option"):
        case "stream":
            return stream_name(options.stream.stream_identifier)
        case "all":
            return ALL
        case _:
            raise invalid_argument(f"'None' is not a valid {_OPTIONS}+StreamOptionOneofCase")


def check(options: streams_pb2.ReadReq.Options) -> None:
    """Raises a Refusal for a combination of options that the server does not support."""
    if not options.HasField("uuid_option"):
        raise invalid_argument("`uuidOption` is a required argument.")
    backwards = options.read_direction == Options.Backwards
    asked = (
        _case(options.WhichOneof("stream_option")),
        _case(options.WhichOneof("count_option")),
        "Backwards" if backwards else "Forwards",
        _case(options.WhichOneof("filter_option")),
    )
    if asked not in _COMBINATIONS:
        raise invalid_argument(f"The combination of ({', '.join(asked)}) is invalid.")
    if asked[1] == "Count" and not options.count:
        raise read_failed(asked[0])
    if asked[:3] == ("Stream", "Count", "Forwards") and version(options.stream) == END_VERSION:
        raise read_failed("Stream")


def version(options: streams_pb2.ReadReq.Options.StreamOptions) -> int | None:
    """The start in a stream: -1 is before its first event, END_VERSION its end.

    None if the request has no start. Raises a Refusal for a number that is not a version.
    """
    match options.WhichOneof("revision_option"):
        case "start":
            return -1
        case "end":
            return END_VERSION
        case "revision":
            return number(options.revision)
        case _:
            return None


def position(options: streams_pb2.ReadReq.Options.AllOptions) -> Position | None:
    """The start in ``$all``; None if the request has none.

    Raises a Refusal for numbers that are not a position.
    """
    match options.WhichOneof("all_option"):
        case "start":
            return START
        case "end":
            return END
        case "position":
            return checked(options.position.commit_position, options.position.prepare_position)
        case _:
            return None


def checked(commit: int, prepare: int) -> Position:
    """The position with these two numbers. Raises a Refusal if they are not one."""
    found = Position(number(commit), number(prepare))
    if found.prepare > found.commit or (found.commit == END.commit and found != END):
        raise handler_failed()
    return found


def read_failed(kind: str, result: str = "Error") -> Refusal:
    """The server's answer if its storage cannot read there; ``kind`` is All or Stream."""
    return Refusal(grpc.StatusCode.UNKNOWN, f"Unexpected Read{kind}Result: {result}")


def handler_failed() -> Refusal:
    """The server's answer to a number that cannot be a position or version."""
    return Refusal(grpc.StatusCode.UNKNOWN, "Exception was thrown by handler.")


def number(given: int) -> int:
    """A version, or a part of a position; the largest number means the end. Raises a Refusal."""
    if MAX_VERSION < given < _UNSIGNED_MAX:
        raise handler_failed()
    return given


def _case(name: str | None) -> str:
    """The server's name for a field of a oneof."""
    return "".join(word.capitalize() for word in (name or "none").split("_"))
