"""Which records of the log a reader of ``$all`` gets: the server-side filters."""

import re
from collections.abc import Callable, Iterable

from esdbclient.protos.Grpc import persistent_pb2, streams_pb2

from infrastructure.embedded.eventstoredb.errors import invalid_argument
from infrastructure.embedded.eventstoredb.storage import Record

Filter = Callable[[Record], bool]
FilterOptions = (
    streams_pb2.ReadReq.Options.FilterOptions | persistent_pb2.CreateReq.AllOptions.FilterOptions
)


def in_all(record: Record) -> bool:
    """Whether ``$all`` shows the record at all: the node's own bookkeeping it does not."""
    stream = record.stream
    if not stream.startswith("$"):
        return True
    if stream.startswith("$persistentsubscription-$all::"):
        return not stream.endswith(("-checkpoint", "-parked"))
    return stream != "$epoch-information"


def parse_filter(options: FilterOptions) -> Filter:
    """A filter by stream name or event type; what ``$all`` hides stays hidden.

    Expressions search anywhere in the text, prefixes match at its start. Raises a Refusal.
    """
    match options.WhichOneof("filter"):
        case "stream_identifier":
            named = _matches(options.stream_identifier.regex, options.stream_identifier.prefix)
            return lambda record: in_all(record) and named(record.stream)
        case "event_type":
            typed = _matches(options.event_type.regex, options.event_type.prefix)
            return lambda record: in_all(record) and typed(record.type)
        case _:
            raise invalid_argument("A filter is by stream_identifier or by event_type: give one.")


def _matches(regex: str, prefixes: Iterable[str]) -> Callable[[str], bool]:
    if not regex:
        starts = tuple(prefixes)
        return lambda text: text.startswith(starts)
    try:
        search = re.compile(regex).search
    except re.error as error:
        raise invalid_argument(f"'{regex}' is not a regular expression: {error}") from error
    return lambda text: search(text) is not None
