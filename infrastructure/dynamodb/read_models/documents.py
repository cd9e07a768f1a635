"""Views as items of the table of views, and back.

A build is spread over four partitions, by key, so that its writes do not meet in one. In each,
items are in the order of their keys. A removed view stays as an item that shows nothing, and guards
its key by the position it has seen.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic

from application.ports import Removed, Seen, V
from application.projections.comparing import Kept
from application.projections.projection import Projection
from infrastructure.dynamodb.values import Item, Value, number, text, to_number, to_text

PLACES: Final = 4
LARGEST: Final = 400_000
"""Bytes of an item."""

_LONGEST_KEY: Final = 500  # bytes; with a text, an index has 1,024 of them
_LONGEST_TEXT: Final = 500  # bytes of a field, in its index
_PACKED: Final = 1_000  # bytes from which on a text is compressed
_BEFORE_KEY, _BEHIND_KEY = "\0", "\1"  # no text has the first


class TooLarge(ValueError):
    """A view is larger than an item of DynamoDB may be."""


class Documents(Generic[V]):
    """The items of one read model, or of its parts, in one build."""

    def __init__(self, table: str, view: type[V], projection: Projection[V] | None = None) -> None:
        """``projection``: by whose fields views are found; ``None`` for parts."""
        self.table, self._view = table, view
        self._detail = set(projection.detail) if projection else set()
        indexed = projection.indexed if projection else ()
        self.slots: Mapping[str, str] = {field: f"by{at}" for at, field in enumerate(indexed)}
        """The attribute in which each field is indexed."""

    def places(self) -> Sequence[str]:
        """All partitions."""
        return places_of(self.table)

    def key(self, key: str) -> Item:
        """The key of the item of a view. ``ValueError`` for one that is too long."""
        if len(key.encode()) > _LONGEST_KEY:
            raise ValueError(f"a key in DynamoDB has at most {_LONGEST_KEY} bytes: {key[:50]}…")
        place = zlib.crc32(key.encode()) % PLACES
        return {"place": text(f"{self.table}#{place}"), "which": text(which(key))}

    def item(self, key: str, one: Seen[V] | Removed) -> Item:
        """Raises :class:`TooLarge`, and ``ValueError`` for a key that is too long."""
        item: Item = {**self.key(key), "seen": number(one.position)}
        if isinstance(one, Removed):
            return item
        item["shown"] = _packed(one.view.model_dump_json(exclude=self._detail))
        if self._detail:
            item["detail"] = _packed(one.view.model_dump_json(include=self._detail))
        document = json.loads(one.view.model_dump_json(include=set(self.slots)))
        for field, slot in self.slots.items():
            if (value := text_of(document, field)) is not None:
                item[slot] = text(entry(value, key))
        if (size := _size(item)) > LARGEST:
            raise TooLarge(f"{key} is an item of {size:,} bytes: DynamoDB takes {LARGEST:,}")
        return item

    def entries(self, item: Mapping[str, Any]) -> Mapping[str, Value]:
        """Where the indexes have it, by slot."""
        return {slot: item[slot] for slot in self.slots.values() if slot in item}

    def seen(self, item: Mapping[str, Any]) -> Seen[V] | Removed:
        """What an item holds, without detail that was not read."""
        position = to_number(item["seen"])
        if "shown" not in item:
            return Removed(position)
        return Seen(self._view.model_validate_json(json.dumps(document_in(item))), position)


def places_of(table: str) -> Sequence[str]:
    """The partitions of a build, or of its parts."""
    return [f"{table}#{at}" for at in range(PLACES)]


def which(key: str) -> str:
    """The sort key of a view: never empty, in the order of the keys."""
    return f":{key}"


def key_in(item: Mapping[str, Any]) -> str:
    return to_text(item["which"])[1:]


def entry(value: str, key: str) -> str:
    """Where an index has a view: by the text of the field, then by key."""
    return f"{_cut(value)}{_BEFORE_KEY}{key}"


def first_of(value: str, after: str = "") -> str:
    """Where the entries of that text begin, behind a key."""
    return entry(value, after)


def last_of(value: str, until: str | None = None) -> str:
    """Where they end, with a key."""
    return f"{_cut(value)}{_BEHIND_KEY}" if until is None else entry(value, until)


def text_of(document: Mapping[str, Any], field: str) -> str | None:
    """A field as it stands in the view's JSON."""
    value = document[field]
    return value if value is None or isinstance(value, str) else json.dumps(value)


def document_in(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The view as JSON, with the detail that was read."""
    detail = json.loads(_unpacked(item["detail"])) if "detail" in item else {}
    return {**json.loads(_unpacked(item["shown"])), **detail}


def kept(item: Mapping[str, Any]) -> Kept:
    """An item as two builds are compared by it."""
    document = document_in(item) if "shown" in item else None
    return Kept(key_in(item), to_number(item["seen"]), document)


def _cut(value: str) -> str:
    return value.encode()[:_LONGEST_TEXT].decode(errors="ignore")


def _packed(document: str) -> Value:
    encoded = document.encode()
    return text(document) if len(encoded) <= _PACKED else {"B": zlib.compress(encoded)}


def _unpacked(value: Mapping[str, Any]) -> str:
    return zlib.decompress(value["B"]).decode() if "B" in value else to_text(value)


def _size(item: Item) -> int:
    """Names and values, in bytes."""
    return sum(len(name) + _length(value) for name, value in item.items())


def _length(value: Mapping[str, Any]) -> int:
    (content,) = value.values()
    return len(content if isinstance(content, bytes) else str(content).encode())
