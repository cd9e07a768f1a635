"""Views as documents of OpenSearch, and back.

The words of a view are those of ``application.projections.words``, so the same views are found as
in every other store. What is neither searched nor ordered by is kept as it is, and not indexed. The
version of a document is the position of the last event of its view.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, Generic

from application.ports import Changed, Removed, Seen, V
from application.projections.comparing import Kept
from application.projections.projection import Projection
from infrastructure.opensearch.ranks import text_of

MAPPING: Final[Mapping[str, Any]] = {
    "dynamic": "strict",
    "properties": {
        "key": {"type": "keyword"},
        "words": {"type": "keyword", "doc_values": False},
        "rank": {"type": "keyword"},  # as text, of a view that is not removed
        "view": {"type": "object", "enabled": False},
        "detail": {"type": "object", "enabled": False},
    },
}
SHOWN: Final = ("key", "view")
"""What a list shows of a view."""

_LONGEST_ID: Final = 512  # bytes
_HASHED: Final = "sha256:"
_LONGEST_WORD: Final = 8_000  # letters of at most four bytes: Lucene takes 32,766


class Documents(Generic[V]):
    """The documents of one read model."""

    def __init__(self, view: type[V], projection: Projection[V] | None) -> None:
        """``projection``: by which it is searched; ``None`` for parts."""
        self._view, self._projection = view, projection
        self._detail = set(projection.detail) if projection else set()

    def lines(self, changed: Changed[V]) -> Iterator[str]:
        """For each view, its action and its document."""
        for key, one in changed.items():
            action = {"_id": id_of(key), "version": one.position, "version_type": "external"}
            document = self._document(one.view) if isinstance(one, Seen) else ""
            yield f'{json.dumps({"index": action})}\n{{"key":{json.dumps(key)}{document}}}\n'

    def _document(self, view: V) -> str:
        """The fields of a view that is there, each behind a comma."""
        fields = f',"view":{view.model_dump_json(exclude=self._detail)}'
        if self._detail:
            fields += f',"detail":{view.model_dump_json(include=self._detail)}'
        declared = self._projection
        if declared and declared.ranked is not None:
            number = getattr(view, declared.ranked)
            words = sorted(cut(word) for word in declared.words(view))
            rank = text_of(getattr(number, "amount", number))  # of money: its amount
            fields += f',"words":{json.dumps(words)},"rank":"{rank}"'
        return fields

    def seen(self, found: Mapping[str, Any]) -> Seen[V] | Removed:
        """What the answer of the server holds, without detail that was not asked for."""
        source, position = found["_source"], found["_version"]
        if "view" not in source:
            return Removed(position)
        whole = json.dumps({**source["view"], **source.get("detail", {})})
        return Seen(self._view.model_validate_json(whole), position)


def kept(found: Mapping[str, Any]) -> Kept:
    """A document as two builds are compared by it."""
    source = found["_source"]
    document = {**source["view"], **source.get("detail", {})} if "view" in source else None
    return Kept(source["key"], found["_version"], document)


def id_of(key: str) -> str:
    """The id of the document: the key, or its hash where it cannot be an id."""
    if key and len(key.encode()) <= _LONGEST_ID and not key.startswith(_HASHED):
        return key
    return _HASHED + sha256(key.encode()).hexdigest()


def cut(word: str) -> str:
    """As much of a word as can be searched."""
    return word[:_LONGEST_WORD]


def batches(lines: Iterator[str], keys: Sequence[str], most: int) -> Iterator[tuple[Any, bytes]]:
    """The lines in requests of about ``most`` bytes, each with its keys."""
    begun: list[str] = []
    ready: list[bytes] = []
    size = 0
    for key, line in zip(keys, lines, strict=True):
        encoded = line.encode()
        if begun and size + len(encoded) > most:
            yield begun, b"".join(ready)
            begun, ready, size = [], [], 0
        begun.append(key)
        ready.append(encoded)
        size += len(encoded)
    if begun:
        yield begun, b"".join(ready)
