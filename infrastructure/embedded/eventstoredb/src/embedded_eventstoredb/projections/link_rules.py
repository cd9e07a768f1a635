"""The link that each system projection writes for a record.

The rules are EventStoreDB's, from its Projections.Core/Standard. One is corrected: for a stream's
metadata, the server's link in ``$et-$metadata`` leads to the stream itself; here it leads to the
metadata.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from embedded_eventstoredb.storage import (
    MAX_VERSION,
    Linkable,
    Record,
    parse_metadata,
    quoted,
)
from embedded_eventstoredb.streams import LINK, METADATA, STREAM_DELETED

_CORRELATION_ID: Final = "$correlationId"
_STREAM_REFERENCE: Final = "$@"
_DELETED: Final = ',"$deleted":-1'
_EPOCH: Final = datetime(1970, 1, 1)  # the text ends with Z, not with +00:00


class Target(NamedTuple):
    """The stream of a link, its data, and its additional metadata: members of a JSON object, each
    after a comma.
    """

    stream: str
    data: str
    added: str = ""
    type: str = LINK


Rule = Callable[[Linkable], Target | None]
Categories = Callable[[str], str | None]

_ENDS: Final[Mapping[str, Callable[[str, str], tuple[str, str, str]]]] = {
    "first": str.partition,
    "last": str.rpartition,
}


def by_category(source: Linkable, category_of: Categories) -> Target | None:
    """``order-1`` is in ``$ce-order``: the part before the first dash, if there is one."""
    deleted = deleted_stream(source)
    stream = deleted or source.stream
    category = category_of(stream)
    if category is None:
        return None
    target = _link_to(source)
    if source.type == LINK:  # a link in a user's stream: its own target is linked
        target = (source.data or b"").decode(errors="replace")
    added = f',"$o":{quoted(stream)}'
    return Target(f"$ce-{category}", target, f"{added}{_DELETED}" if deleted else added)


def by_event_type(source: Linkable) -> Target | None:
    """``OrderPlaced`` is in ``$et-OrderPlaced``; a deletion is in ``$et-$deleted``."""
    if source.type == LINK:
        return None
    if deleted := deleted_stream(source):
        return Target("$et-$deleted", f"{source.version}@{deleted}", _DELETED)
    return Target(f"$et-{source.type}", _link_to(source))


def by_correlation_id(source: Linkable) -> Target | None:
    """An event with a ``$correlationId`` in its metadata is in ``$bc-<that id>``."""
    if source.type == LINK or source.correlation_id is None:
        return None
    created = _EPOCH + timedelta(microseconds=source.created // 10)
    added = f',"$eventTimestamp":"{created.isoformat(timespec="microseconds")}Z"'
    return Target(f"$bc-{source.correlation_id}", _link_to(source), added)


def streams(source: Linkable) -> Target | None:
    """Every stream is in ``$streams``, as a link to its first event."""
    return None if source.version else Target("$streams", _link_to(source))


def stream_by_category(source: Linkable, category_of: Categories) -> Target | None:
    """``order-1`` is named in ``$category-order``."""
    category = category_of(source.stream)
    if source.version or category is None:
        return None
    return Target(f"$category-{category}", source.stream, type=_STREAM_REFERENCE)


def rule_of(name: str, query: str) -> Rule:
    """The rule of a system projection; its query can configure how a stream's name gives its
    category.

    Raises ValueError if the query is malformed.
    """
    match name:
        case "$streams" | "$by_event_type" if query.strip():
            raise ValueError("Empty source expected")
        case "$streams":
            return streams
        case "$stream_by_category":
            return partial(stream_by_category, category_of=_categories(query))
        case "$by_category":
            return partial(by_category, category_of=_categories(query))
        case "$by_event_type":
            return by_event_type
        case "$by_correlation_id":
            _require_correlation_id(query)
            return by_correlation_id
        case _:
            raise ValueError(f"There is no system projection {name}")


def _require_correlation_id(query: str) -> None:
    """The server can use another property, named in a JSON object; this node cannot."""
    try:
        name = json.loads(query)["correlationIdProperty"] if query.strip() else _CORRELATION_ID
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            "Could not parse projection source. Please make sure the source is a valid JSON string "
            "with a property: 'correlationIdProperty' having a string value"
        ) from None
    if name != _CORRELATION_ID:
        raise ValueError(f"this node knows correlations by {_CORRELATION_ID} only, not by {name}")


def _categories(query: str) -> Categories:
    """``first`` or ``last``, and on the next line the character that ends the category."""
    match query.strip().split("\n"):
        case [separator] if len(separator) == 1:
            end = "last"
        case [end, separator] if end.strip().lower() in _ENDS and len(separator) == 1:
            pass
        case _:
            raise ValueError(
                "Cannot initialize categorization projection handler.  Expected 'first' or 'last', "
                "and on the next line a single separator character"
            )
    divided = _ENDS[end.strip().lower()]

    def category_of(stream: str) -> str | None:
        category, found, _ = divided(stream, separator)
        return category if category and found and not stream.startswith("$") else None

    return category_of


def _link_to(source: Linkable) -> str:
    return f"{source.version}@{source.stream}"


def deleted_stream(source: Linkable | Record) -> str | None:
    """The stream that this record deletes, softly or for good."""
    if source.type == STREAM_DELETED:
        return source.stream
    if source.type == METADATA and source.stream.startswith("$$"):
        deletes = parse_metadata(source.data or b"").get("$tb") == MAX_VERSION
        return source.stream[2:] if deletes else None
    return None
