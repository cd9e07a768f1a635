"""Views as records of Algolia, and back.

The words of a view are those of ``application.projections.words``. The version of a record is one
more than the position of the last event of its view, since Algolia creates a record only for a
version above 0.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, Generic

from application.ports import Removed, Seen, V
from application.projections.comparing import Kept
from application.projections.projection import Projection
from infrastructure.algolia.places import NUMBERS, Place

SHOWN: Final = ("key", "view", "words", "version", *NUMBERS)
"""What a search reads of a record: a list shows no detail."""
WHOLE: Final = ("key", "view", "detail", "version")

LARGEST: Final = 100_000
"""Bytes of a record: no plan of Algolia takes more, and smaller plans take 10,000."""

_HIGHEST: Final = 4_611_686_018_427_387
"""The largest number by which Algolia filters."""
_LONGEST_ID: Final = 512  # bytes
_HASHED: Final = "sha256:"
_GONE: Final = dict.fromkeys(("view", "detail", "words", *NUMBERS))


class TooLarge(ValueError):
    """A view is larger than a record of Algolia may be."""


class Records(Generic[V]):
    """The records of one read model."""

    def __init__(self, view: type[V], projection: Projection[V] | None) -> None:
        """``projection``: by which it is searched; ``None`` for parts."""
        self._view, self._projection = view, projection
        self._detail = set(projection.detail) if projection else set()

    def update(self, key: str, one: Seen[V] | Removed) -> Mapping[str, Any]:
        """The update that Algolia ignores where the record has seen as much, or more.

        It sets every attribute, since Algolia keeps those that an update leaves out. Raises
        :class:`TooLarge`, and ``ValueError`` for what Algolia cannot order or guard.
        """
        if one.position >= _HIGHEST:
            raise ValueError(f"{key} has seen position {one.position}: Algolia guards {_HIGHEST}")
        body = {
            "objectID": id_of(key),
            "key": key,
            "there": int(isinstance(one, Seen)),
            **(self._attributes(key, one.view) if isinstance(one, Seen) else _GONE),
            "version": {"_operation": "IncrementSet", "value": one.position + 1},
        }
        if (size := size_of(body)) > LARGEST:
            raise TooLarge(
                f"{key} is a record of {size:,} bytes: Algolia takes {LARGEST:,}. Leave out what "
                "its searches do not need, or keep the read model in the database"
            )
        return body

    def _attributes(self, key: str, view: V) -> Mapping[str, Any]:
        """The attributes of a view that is there."""
        detail = view.model_dump(mode="json", include=self._detail) if self._detail else None
        shown = view.model_dump(mode="json", exclude=self._detail)
        declared = self._projection
        if not declared or declared.ranked is None:
            return {**_GONE, "view": shown, "detail": detail}
        number = getattr(view, declared.ranked)
        where = Place.of(getattr(number, "amount", number), key)  # of money: its amount
        return {
            "view": shown,
            "detail": detail,
            "words": sorted(declared.words(view)),
            **dict(zip(NUMBERS, where.numbers, strict=True)),
        }

    def seen(self, record: Mapping[str, Any]) -> Seen[V] | Removed:
        """What a record holds, without detail that was not read."""
        position = position_of(record)
        if record.get("view") is None:
            return Removed(position)
        whole = json.dumps({**record["view"], **(record.get("detail") or {})})
        return Seen(self._view.model_validate_json(whole), position)


def size_of(update: Mapping[str, Any]) -> int:
    """Its bytes, as Algolia counts them."""
    return len(json.dumps(update, separators=(",", ":"), ensure_ascii=False).encode())


def position_of(record: Mapping[str, Any]) -> int:
    return int(record["version"]) - 1


def kept(record: Mapping[str, Any]) -> Kept:
    """A record as two builds are compared by it."""
    view = record.get("view")
    document = None if view is None else {**view, **(record.get("detail") or {})}
    return Kept(record["key"], position_of(record), document)


def id_of(key: str) -> str:
    """The id of the record: the key, or its hash where it cannot be an id."""
    if key and len(key.encode()) <= _LONGEST_ID and not key.startswith(_HASHED):
        return key
    return _HASHED + sha256(key.encode()).hexdigest()


def has_all(words: Collection[str], record: Mapping[str, Any]) -> bool:
    """Whether each of the words begins one of the record's."""
    there: Sequence[str] = record.get("words") or ()
    return all(any(one.startswith(word) for one in there) for word in words)


def batches(
    updates: Iterable[Mapping[str, Any]], most: int, records: int
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """The updates in requests of at most ``records``, and of about ``most`` bytes."""
    begun: list[Mapping[str, Any]] = []
    size = 0
    for update in updates:
        length = size_of(update)
        if begun and (size + length > most or len(begun) == records):
            yield begun
            begun, size = [], 0
        begun.append(update)
        size += length
    if begun:
        yield begun
