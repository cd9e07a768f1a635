"""The server-side filters of ``$all``.

The time of each is limited, so that one client's filter does not slow the others.
"""

import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from esdbclient.protos.Grpc import persistent_pb2, streams_pb2

from embedded_eventstoredb.dotnet_patterns import translated
from embedded_eventstoredb.errors import Refusal, invalid_argument
from embedded_eventstoredb.storage import Record

Filter = Callable[[Record], bool]
FilterOptions = (
    streams_pb2.ReadReq.Options.FilterOptions | persistent_pb2.CreateReq.AllOptions.FilterOptions
)

_LONGEST: Final = 16_384  # characters of an expression: compiling it takes 60 ms
_PREFIXES: Final = 1_000
_SPARE: Final = 0.05  # seconds of CPU time that an expression may take for one name
_EACH: Final = 0.00005  # and on average, for each name
_SHOWN: Final = 80
_KNOWN: Final = 256  # remembered names: there are few event types
_LONG_NAME: Final = 256


def in_all(record: Record) -> bool:
    """Whether ``$all`` shows the record: the node's internal records are hidden."""
    stream = record.stream
    if not stream.startswith("$"):
        return True
    if stream.startswith("$persistentsubscription-$all::"):
        return not stream.endswith(("-checkpoint", "-parked"))
    return stream != "$epoch-information"


def parse_filter(options: FilterOptions) -> Filter:
    """A filter by stream name or event type; records that ``$all`` hides stay hidden.

    Expressions are .NET's and match anywhere in the text; prefixes match at its start. Raises a
    Refusal; so does the filter, if it takes too long.
    """
    match options.WhichOneof("filter"):
        case "stream_identifier":
            named = _matches(options.stream_identifier.regex, options.stream_identifier.prefix)
            return lambda record: in_all(record) and named(record.stream)
        case "event_type":
            typed = _matches(options.event_type.regex, options.event_type.prefix)
            return lambda record: typed(record.type) and in_all(record)  # most are links
        case _:
            raise invalid_argument("A filter is by stream_identifier or by event_type: give one.")


def _matches(expression: str, prefixes: Sequence[str]) -> Callable[[str], bool]:
    if expression:
        return _Search(expression).finds
    if len(prefixes) > _PREFIXES:
        raise invalid_argument(f"A filter takes {_PREFIXES} prefixes, not {len(prefixes)}.")
    starts = tuple(prefixes)
    return lambda text: text.startswith(starts)


class _Search:
    """A search for an expression, with limited time."""

    def __init__(self, expression: str) -> None:
        self._shown = expression[:_SHOWN] + "…" * (len(expression) > _SHOWN)
        self._search = self._compiled(expression)
        self._spare = _SPARE
        self._known: dict[str, bool] = {}

    def finds(self, text: str) -> bool:
        """Whether the expression matches in the text. Raises a Refusal if it takes too long."""
        if (known := self._known.get(text)) is not None:
            return known
        found = self._finds(text)
        if len(text) <= _LONG_NAME:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[text] = found
        return found

    def _finds(self, text: str) -> bool:
        started = time.thread_time()
        try:
            found = self._search(text)
        except (TimeoutError, MemoryError):
            raise self._takes_too_long() from None
        self._spare = min(_SPARE, self._spare + _EACH - (time.thread_time() - started))
        if self._spare < 0:
            raise self._takes_too_long()
        return found is not None

    def _compiled(self, expression: str) -> Callable[[str], object]:
        if len(expression) > _LONGEST:
            raise invalid_argument(
                f"'{self._shown}' is too long: an expression has {_LONGEST} characters at most."
            )
        try:
            return _search(translated(expression))
        except (ValueError, RecursionError) as error:
            reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            text = f"'{self._shown}' is not a regular expression: {reason}"
            raise invalid_argument(text) from error

    def _takes_too_long(self) -> Refusal:
        return invalid_argument(f"'{self._shown}' takes too long: give a simpler expression.")


def _search(expression: str) -> Callable[[str], object]:
    """A search by the package ``regex``, which raises TimeoutError if it takes too long.

    Without that package, Python's ``re`` is used, which supports less and cannot be interrupted.
    Raises ValueError for an invalid expression.
    """
    try:
        import regex
    except ImportError:
        return partial(_compile(re, expression).search)
    return partial(_compile(regex, expression).search, timeout=_SPARE, concurrent=False)


def _compile(engine: Any, expression: str) -> Any:
    try:
        return engine.compile(expression)
    except engine.error as error:
        raise ValueError(str(error)) from error
