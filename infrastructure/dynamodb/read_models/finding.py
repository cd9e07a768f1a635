"""Pages of views by their keys or fields, and sums over all of them."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any, Final, Generic

from application.ports import Seen, Sums, Total, V
from application.projections.projection import Projection
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.querying import loaded
from infrastructure.dynamodb.read_models.documents import (
    Documents,
    document_in,
    first_of,
    key_in,
    last_of,
    text_of,
    which,
)
from infrastructure.dynamodb.read_models.walking import walked
from infrastructure.dynamodb.tables import VIEWS
from infrastructure.dynamodb.values import Item

_AT_ONCE: Final = 100  # entries whose views are read together
_FEWEST: Final = 10
_COUNTED: Final = 2_000  # for a list; at 100 a read
_KEY: Final = "which"  # the attribute with the key of a view


@dataclass(frozen=True)
class Within:
    """Which views: see ``Finding.find`` of the ports."""

    equal: Mapping[str, str]
    by: str | None = None
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True)
class _Span:
    """Entries of an index, or of the table, in the order of that attribute; both ends included."""

    by: str
    low: str | None
    high: str | None
    place: Callable[[str], str] = which
    """Where it has a key; not for an index of a field that orders."""

    @property
    def is_empty(self) -> bool:
        return self.low is not None and self.high is not None and self.low > self.high

    def behind(self, place: str, *, descending: bool) -> "_Span":
        """What follows a place, and the place."""
        if descending:
            return replace(self, high=place if self.high is None else min(self.high, place))
        return replace(self, low=place if self.low is None else max(self.low, place))


class Finding(Generic[V]):
    """Queries on one build.

    An index is a hint: each view that it names is read from the table, and left out unless it
    still is what was asked for.
    """

    def __init__(
        self, database: Database, documents: Documents[V], projection: Projection[V]
    ) -> None:
        self._database, self._documents, self._projection = database, documents, projection

    async def find(
        self, wanted: Within, after: str | None = None, *, descending: bool = False, limit: int = 50
    ) -> Sequence[tuple[str, Seen[V]]]:
        """As the port."""
        found: list[tuple[str, Seen[V]]] = []
        if limit <= 0:
            return found
        async for item in self._matching(wanted, after, limit, descending=descending):
            item.pop("detail", None)
            seen = self._documents.seen(item)
            assert isinstance(seen, Seen)  # as each that matches
            found.append((key_in(item), seen))
            if len(found) == limit:
                break
        return found

    async def count(self, wanted: Within) -> int:
        """As the port. Reads all that it counts."""
        return len([1 async for _ in self._matching(wanted, None, _AT_ONCE)])

    async def total(self, wanted: Within) -> Total:
        """As the port: reads at most ``_COUNTED`` that match."""
        found = 0
        async for _ in self._matching(wanted, None, _AT_ONCE):
            if found == _COUNTED:
                return Total(found, "at least")
            found += 1
        return Total(found)

    async def sums(
        self,
        fields: Collection[str],
        *,
        by: str,
        equal: Mapping[str, str] | None = None,
        after: str | None = None,
        until: str | None = None,
    ) -> Mapping[str, Sums]:
        """As the port. Reads all views of the build."""
        self._projection.require_summed(fields, by, equal)
        views: defaultdict[str, int] = defaultdict(int)
        sums: defaultdict[str, dict[str, Decimal]] = defaultdict(
            lambda: dict.fromkeys(fields, _ZERO)
        )
        async for item in walked(self._database, self._documents.places()):
            key = key_in(item)
            within = (after is None or key > after) and (until is None or key <= until)
            if "shown" in item and within:
                document = document_in(item)
                if not _equals(document, equal or {}):
                    continue
                group = text_of(document, by) or ""
                views[group] += 1
                for field in fields:
                    if amount := text_of(document, field):
                        sums[group][field] += Decimal(amount.split(" ")[0])
        return {group: Sums(count, sums[group]) for group, count in views.items()}

    async def _matching(
        self, wanted: Within, after: str | None, limit: int, *, descending: bool = False
    ) -> AsyncIterator[Item]:
        """In order, each as it is in the table now."""
        self._projection.require_indexed({*wanted.equal, *filter(None, [wanted.by])})
        span = self._span(wanted)
        if after is not None:
            place = await self._entry(after, wanted.by) if wanted.by else span.place(after)
            if place is None:
                return
            span = span.behind(place, descending=descending)
        async for item in self._within(span, limit, descending=descending):
            if key_in(item) != after and _equals(document_in(item), wanted.equal):
                yield item

    def _span(self, wanted: Within) -> "_Span":
        """The part of an index, or of the table, that has all of these views."""
        since, until = wanted.since, wanted.until
        if wanted.by is not None:
            low, high = since and first_of(since), until and last_of(until)
            return _Span(self._documents.slots[wanted.by], low, high)
        if wanted.equal:
            field, value = next(iter(wanted.equal.items()))
            low, high = first_of(value, since or ""), last_of(value, until)
            return _Span(self._documents.slots[field], low, high, partial(first_of, value))
        return _Span(_KEY, since and which(since), until and which(until), which)

    async def _within(self, span: "_Span", limit: int, *, descending: bool) -> AsyncIterator[Item]:
        """What is shown there now. An index is read ahead, as each hint is looked up."""
        if span.is_empty:
            return
        places, size = self._documents.places(), _page(limit)
        waiting: list[Item] = []
        async for one in walked(
            self._database, places, span.by, span.low, span.high, size, descending=descending
        ):
            if span.by == _KEY:
                if "shown" in one:
                    yield one
                continue
            waiting.append(one)
            if len(waiting) == size:
                for item in await self._read(waiting, span.by):
                    yield item
                waiting = []
        for item in await self._read(waiting, span.by):
            yield item

    async def _read(self, hints: Sequence[Item], slot: str) -> Sequence[Item]:
        """The views of these entries that still belong there, in their order."""
        keys: Sequence[Item] = [{name: one[name] for name in ("place", "which")} for one in hints]
        there = {key_in(item): item for item in await loaded(self._database, VIEWS, keys)}
        found = ((hint, there.get(key_in(hint))) for hint in hints)
        return [item for hint, item in found if item and item.get(slot) == hint[slot]]

    async def _entry(self, key: str, field: str) -> str | None:
        """Where the index of the field has that view; ``None`` where it has not."""
        found = await loaded(self._database, VIEWS, [self._documents.key(key)])
        entry: Any = found[0].get(self._documents.slots[field]) if found else None
        return None if entry is None else str(entry["S"])


_ZERO: Final = Decimal(0)


def _page(limit: int) -> int:
    """How many entries to read at once: some of them may be left out."""
    return max(_FEWEST, min(limit + 1, _AT_ONCE))


def _equals(document: Mapping[str, Any], equal: Mapping[str, str]) -> bool:
    return all(text_of(document, field) == value for field, value in equal.items())
