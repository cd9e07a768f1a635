"""The views of builds in memory."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Generic

from application.ports import Seen, Sums, V
from application.projections.builds import WHOLE, Shard
from application.projections.projection import Projection, View
from application.projections.projection import words as words_of
from infrastructure.memory.coordination import Checkpoints


@dataclass
class Kept(Generic[V]):
    """What one build holds; its shards share it."""

    name: str  # of its checkpoints
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    views: dict[str, Seen[V]] = field(default_factory=dict)
    parts: dict[str, Seen[Any]] = field(default_factory=dict)


class Views(Generic[V]):
    """The :class:`~application.ports.Views` of a build: of one shard to write, of all to read."""

    def __init__(
        self,
        projection: Projection[V],
        kept: Kept[V] | None = None,
        shards: Sequence[Shard] = (WHOLE,),
    ) -> None:
        self._projection, self._shards = projection, shards
        self._kept: Kept[V] = kept or Kept(projection.name)
        fields = projection.view.model_fields
        self._no_detail = {
            field: fields[field].get_default(call_default_factory=True)
            for field in projection.detail
        }

    async def prepare(self) -> None:
        """There is always room in memory."""

    async def checkpoint(self) -> int | None:
        kept = self._kept
        positions = [kept.checkpoints.standing(kept.name, of.index)[0] for of in self._shards]
        known = [position for position in positions if position is not None]
        return min(known) if len(known) == len(positions) else None

    async def load(self, keys: Collection[str]) -> Mapping[str, Seen[V]]:
        return {key: self._kept.views[key] for key in keys if key in self._kept.views}

    async def load_parts(self, keys: Collection[str]) -> Mapping[str, Seen[Any]]:
        return {key: self._kept.parts[key] for key in keys if key in self._kept.parts}

    async def save(
        self,
        changed: Mapping[str, Seen[V] | None],
        *,
        parts: Mapping[str, Seen[Any] | None] = MappingProxyType({}),
        events: int = 0,
        checkpoint: int,
        expected: int | None,
    ) -> None:
        (shard,) = self._shards
        self._kept.checkpoints.move(
            self._kept.name, checkpoint, expected=expected, events=events, shard=shard.index
        )
        _write(changed, self._kept.views)
        _write(parts, self._kept.parts)

    async def find(
        self,
        *,
        equal: Mapping[str, str],
        by: str | None = None,
        after: str | None = None,
        until: str | None = None,
        limit: int = 50,
    ) -> Sequence[tuple[str, Seen[V]]]:
        found = self._matching(equal, by, until)
        if after is not None:
            start = self._place(after, by)
            found = [(place, seen) for place, seen in found if start and place > start]
        return [(place[1], self._without_detail(seen)) for place, seen in found[:limit]]

    async def count(
        self, *, equal: Mapping[str, str], by: str | None = None, until: str | None = None
    ) -> int:
        return len(self._matching(equal, by, until))

    async def search(
        self, words: str, *, after: tuple[Decimal, str] | None = None, limit: int = 50
    ) -> Sequence[tuple[str, Seen[V]]]:
        self._projection.require_search()
        wanted = words_of(words)
        ranked = sorted(
            (-self._rank(seen.view), key, seen)
            for key, seen in self._kept.views.items()
            if _all_begin(wanted, self._projection.words(seen.view))
        )
        start = None if after is None else (-after[0], after[1])
        return [
            (key, self._without_detail(seen))
            for rank, key, seen in ranked
            if start is None or (rank, key) > start
        ][:limit]

    async def sums(self, fields: Collection[str], *, by: str) -> Mapping[str, Sums]:
        self._projection.require_fields({*fields, by})
        groups: defaultdict[str, list[V]] = defaultdict(list)
        for seen in self._kept.views.values():
            groups[_text(seen.view, by) or ""].append(seen.view)
        return {
            value: Sums(len(views), {field: _sum(views, field) for field in fields})
            for value, views in groups.items()
        }

    async def clear(self) -> None:
        self._kept.views.clear()
        self._kept.parts.clear()
        await self._kept.checkpoints.forget(self._kept.name)

    def _matching(
        self, equal: Mapping[str, str], by: str | None, until: str | None
    ) -> Sequence[tuple[tuple[str, str], Seen[V]]]:
        """In order, each with its place."""
        self._projection.require_indexed({*equal, *filter(None, [by])})
        found = [
            (place, seen)
            for key, seen in self._kept.views.items()
            if (place := self._place(key, by)) and (until is None or place[0] <= until)
            if all(_text(seen.view, field) == value for field, value in equal.items())
        ]
        return sorted(found, key=lambda one: one[0])

    def _place(self, key: str, by: str | None) -> tuple[str, str] | None:
        """By what a view is ordered; ``None`` for one that has no such field, or is not there."""
        if by is None:
            return key, key
        seen = self._kept.views.get(key)
        text = _text(seen.view, by) if seen else None
        return None if text is None else (text, key)

    def _without_detail(self, seen: Seen[V]) -> Seen[V]:
        return Seen(seen.view.model_copy(update=self._no_detail), seen.position)

    def _rank(self, view: V) -> Decimal:
        return Decimal(getattr(view, self._projection.ranked or ""))


def _write(changed: Mapping[str, Seen[Any] | None], kept: dict[str, Seen[Any]]) -> None:
    for key, seen in changed.items():
        if seen is None:
            kept.pop(key, None)
        else:
            kept[key] = seen


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
