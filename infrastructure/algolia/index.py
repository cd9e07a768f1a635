"""The index of one build: written with its positions as versions, found by words."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Generic

from application.ports import Changed, IndexMissing, Seen, V
from infrastructure.algolia.application import QUERY, Application
from infrastructure.algolia.failures import Rejected
from infrastructure.algolia.names import Name
from infrastructure.algolia.places import Place
from infrastructure.algolia.records import (
    SHOWN,
    WHOLE,
    Records,
    batches,
    has_all,
    id_of,
    position_of,
)

MOST: Final = 9_000_000
"""Bytes in one request, about: Algolia advises 10 MB."""
PAGE: Final = 1_000
"""Records that Algolia reads or finds in one request."""

_LONGEST_WORD: Final = 64  # letters, of the words in a query
_LONGEST_QUERY: Final = 512  # bytes
_PLAIN: Final[Mapping[str, Any]] = {
    "queryType": "prefixAll",
    "typoTolerance": False,
    "ignorePlurals": False,
    "removeStopWords": False,
    "removeWordsIfNoResults": "none",
    "advancedSyntax": False,
    "decompoundQuery": False,
    "synonyms": False,
    "enableRules": False,
    "enablePersonalization": False,
    "distinct": False,
    "attributesToHighlight": [],
    "attributesToRetrieve": list(SHOWN),
    "responseFields": ["hits"],
}
"""Every word of a query begins a word, and nothing else is taken for it."""


class SearchIndex(Generic[V]):
    """The :class:`~application.ports.SearchIndex` of that name."""

    def __init__(self, application: Application, name: Name, records: Records[V]) -> None:
        self._application, self._name, self._records = application, name, records
        self._known: int | None = None  # the number of the index that writes are for

    async def filling(self) -> int | None:
        self._known = await self._name.filling()
        return self._known

    async def begin(self, filling: int) -> None:
        await self._name.begin(filling)
        self._known = filling

    async def prepare(self) -> None:
        if await self.filling() is None:
            await self.begin(1)

    async def clear(self) -> None:
        if (filling := await self._name.filling()) is None:
            raise self._missing()
        await self.begin(filling + 1)

    async def load(self, keys: Collection[str]) -> Changed[V]:
        ids = {id_of(key): key for key in keys}
        records = [one for some in _pages(list(ids)) for one in await self._read(some, WHOLE)]
        found = {one["objectID"]: one for one in records if one is not None}
        if len(found) < len(ids):  # of a missing index, every record is missing
            await self._require()
        return {ids[id_]: self._records.seen(one) for id_, one in found.items()}

    async def _read(
        self, ids: Sequence[str], attributes: Sequence[str]
    ) -> Sequence[Mapping[str, Any] | None]:
        """The records of these ids, of which some may be missing."""
        index = self._name.name
        requests = [
            {"indexName": index, "objectID": id_, "attributesToRetrieve": list(attributes)}
            for id_ in ids
        ]
        answer = await self._application.ask(
            lambda client: client.get_objects_with_http_info({"requests": requests})
        )
        results: Sequence[Mapping[str, Any] | None] = answer["results"]
        return results

    async def write(self, changed: Changed[V]) -> None:
        updates = [self._records.update(key, one) for key, one in changed.items()]
        if await self._name.filling() != self._known or self._known is None:
            raise self._missing()
        for batch in batches(updates, MOST, PAGE):
            await self._send(batch)
        if await self._is_another():
            raise self._missing()

    async def _send(self, updates: Sequence[Mapping[str, Any]]) -> None:
        """Returns when all records are at these versions, or beyond."""
        index = self._name.name
        requests = [{"action": "partialUpdateObject", "body": update} for update in updates]
        try:
            published = await self._application.carry_out(
                index, lambda client: client.batch_with_http_info(index, {"requests": requests})
            )
        except Rejected as error:  # a record, which will not change
            raise ValueError(f"{index}: {error}") from error
        if not published and not await self._are_there(updates):
            raise self._application.unpublished(index)

    async def _are_there(self, updates: Sequence[Mapping[str, Any]]) -> bool:
        """Whether each record is as new. Updates that were ignored may never be published."""
        records = await self._read([one["objectID"] for one in updates], ["version"])
        wanted = [one["version"]["value"] - 1 for one in updates]
        return all(
            one is not None and position_of(one) >= position
            for one, position in zip(records, wanted, strict=True)
        )

    async def _is_another(self) -> bool:
        """Whether the index that was written to has gone. What the write has made is removed."""
        if await self._name.marked() == self._known:
            return False
        await self._name.undo()
        return True

    async def _require(self) -> None:
        if await self._name.filling() is None:
            raise self._missing()

    def _missing(self) -> IndexMissing:
        return IndexMissing(f"there is no index {self._name.name} any more, or it was begun anew")

    async def search(
        self, words: Collection[str], *, after: tuple[Decimal, str] | None = None, limit: int = 50
    ) -> Sequence[tuple[str, Seen[V]]]:
        found: list[tuple[str, Seen[V]]] = []
        place = Place.of(*after) if after else None
        size = min(PAGE, limit + 1)
        while len(found) < limit:
            hits = await self._hits(words, place, size)
            found += self._shown(hits, words, place)
            if len(hits) < size:
                break
            last = Place.in_(hits[-1])
            if place and place.numbers == last.numbers and size == PAGE:
                raise self._application.unavailable(
                    f"more than {PAGE:,} views of {self._name.name} have one rank, and keys that "
                    f"begin alike: they cannot be listed"
                )
            place, size = last, PAGE
        return found[:limit]

    async def _hits(
        self, words: Collection[str], place: Place | None, size: int
    ) -> Sequence[Mapping[str, Any]]:
        """What stands at that place or behind it, in order."""
        index = self._name.name
        query = {
            **_PLAIN,
            "query": " ".join(_short(words)),
            "numericFilters": ["there=1", *(place.and_beyond() if place else ())],
            "hitsPerPage": size,
        }
        answer = await self._application.ask(
            lambda client: client.search_single_index_with_http_info(index, query),
            attempts=2,
            limit=QUERY,
        )
        hits: Sequence[Mapping[str, Any]] = answer["hits"]
        return hits

    def _shown(
        self, hits: Sequence[Mapping[str, Any]], words: Collection[str], place: Place | None
    ) -> Iterator[tuple[str, Seen[V]]]:
        """Those beyond that place that have all words: Algolia's idea of a word is wider."""
        for hit in hits:
            seen = self._records.seen(hit)
            if (not place or Place.in_(hit) > place) and has_all(words, hit):
                assert isinstance(seen, Seen)  # as the filter wants
                yield hit["key"], seen


def _short(words: Collection[str]) -> Iterator[str]:
    """As many of the words, and as much of each, as a query takes."""
    left = _LONGEST_QUERY
    for word in sorted(words):
        begun = word[:_LONGEST_WORD]
        left -= len(begun.encode()) + 1
        if left < 0:
            return
        yield begun


def _pages(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(ids), PAGE):
        yield ids[at : at + PAGE]
