"""Reading views in memory: by key, by fields, by words, and in sums."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from operator import gt, lt
from typing import Any, Generic

from application.ports import Seen, Sums, Total, V
from application.projections.projection import Projection, View
from application.projections.words import words as words_of


class Reading(Generic[V]):
    """All queries on the views of a mapping, which may change meanwhile."""

    def __init__(self, projection: Projection[V], views: Mapping[str, Seen[V]]) -> None:
        self._projection, self._shown = projection, views
        fields = projection.view.model_fields
        self._no_detail = {
            field: fields[field].get_default(call_default_factory=True)
            for field in projection.detail
        }

    async def load(self, keys: Collection[str]) -> Mapping[str, Seen[V]]:
        return {key: self._shown[key] for key in keys if key in self._shown}

    async def find(
        self,
        *,
        equal: Mapping[str, str],
        by: str | None = None,
        since: str | None = None,
        until: str | None = None,
        after: str | None = None,
        descending: bool = False,
        limit: int = 50,
    ) -> Sequence[tuple[str, Seen[V]]]:
        found = self._matching(equal, by, since, until)
        if after is not None:
            start = self._place(after, by)
            behind = lt if descending else gt
            found = [one for one in found if start and behind(one[0], start)]
        page = (found[::-1] if descending else found)[:limit]
        return [(place[1], self._without_detail(seen)) for place, seen in page]

    async def count(
        self,
        *,
        equal: Mapping[str, str],
        by: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> int:
        return len(self._matching(equal, by, since, until))

    async def total(self, **wanted: Any) -> Total:
        return Total(await self.count(**wanted))

    async def search(
        self, words: str, *, after: tuple[Decimal, str] | None = None, limit: int = 50
    ) -> Sequence[tuple[str, Seen[V]]]:
        self._projection.require_search()
        wanted = words_of(words)
        ranked = sorted(
            (-self._rank(seen.view), key, seen)
            for key, seen in self._shown.items()
            if _all_begin(wanted, self._projection.words(seen.view))
        )
        start = None if after is None else (-after[0], after[1])
        return [
            (key, self._without_detail(seen))
            for rank, key, seen in ranked
            if start is None or (rank, key) > start
        ][:limit]

    async def sums(
        self,
        fields: Collection[str],
        *,
        by: str,
        equal: Mapping[str, str] | None = None,
        after: str | None = None,
        until: str | None = None,
    ) -> Mapping[str, Sums]:
        self._projection.require_summed(fields, by, equal)
        groups: defaultdict[str, list[V]] = defaultdict(list)
        for key, seen in self._shown.items():
            within = (after is None or key > after) and (until is None or key <= until)
            if within and _equals(seen.view, equal or {}):
                groups[_text(seen.view, by) or ""].append(seen.view)
        return {
            value: Sums(len(views), {field: _sum(views, field) for field in fields})
            for value, views in groups.items()
        }

    def _matching(
        self, equal: Mapping[str, str], by: str | None, since: str | None, until: str | None
    ) -> Sequence[tuple[tuple[str, str], Seen[V]]]:
        """In order, each with its place."""
        self._projection.require_indexed({*equal, *filter(None, [by])})
        found = [
            (place, seen)
            for key, seen in self._shown.items()
            if (place := self._place(key, by))
            if (since is None or place[0] >= since) and (until is None or place[0] <= until)
            if _equals(seen.view, equal)
        ]
        return sorted(found, key=lambda one: one[0])

    def _place(self, key: str, by: str | None) -> tuple[str, str] | None:
        """By what a view is ordered; ``None`` for one that has no such field, or is not there."""
        if by is None:
            return key, key
        seen = self._shown.get(key)
        text = _text(seen.view, by) if seen else None
        return None if text is None else (text, key)

    def _without_detail(self, seen: Seen[V]) -> Seen[V]:
        return Seen(seen.view.model_copy(update=self._no_detail), seen.position)

    def _rank(self, view: V) -> Decimal:
        return Decimal(getattr(view, self._projection.ranked or ""))


def _equals(view: View, equal: Mapping[str, str]) -> bool:
    return all(_text(view, field) == value for field, value in equal.items())


def _all_begin(wanted: Collection[str], words: Collection[str]) -> bool:
    """Whether each wanted one begins one of the words."""
    return all(any(word.startswith(begin) for word in words) for begin in wanted)


def _text(view: View, field: str) -> str | None:
    """The field as it stands in the view's JSON."""
    value = getattr(view, field)
    if isinstance(value, str):
        return str(value)  # an enumeration's word, not its name
    value = json.loads(view.model_dump_json(include={field}))[field]
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _sum(views: Sequence[View], field: str) -> Decimal:
    numbers = (_text(view, field) for view in views)
    return sum((Decimal(number.split(" ")[0]) for number in numbers if number), Decimal(0))
