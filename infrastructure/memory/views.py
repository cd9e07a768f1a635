"""One projection's views in memory."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Generic

from application.ports import CheckpointMoved, Seen, Sums, V
from application.projections.projection import Projection, View


class Views(Generic[V]):
    """The :class:`~application.ports.Views` of one projection."""

    def __init__(self, projection: Projection[V]) -> None:
        self._projection = projection
        self._views: dict[str, Seen[V]] = {}
        self._checkpoint: int | None = None
        fields = projection.view.model_fields
        self._no_detail = {
            field: fields[field].get_default(call_default_factory=True)
            for field in projection.detail
        }

    async def checkpoint(self) -> int | None:
        return self._checkpoint

    async def load(self, keys: Collection[str]) -> Mapping[str, Seen[V]]:
        return {key: self._views[key] for key in keys if key in self._views}

    async def save(
        self, changed: Mapping[str, Seen[V] | None], *, checkpoint: int, expected: int | None
    ) -> None:
        if expected != self._checkpoint:
            raise CheckpointMoved(
                f"{self._projection.table} is at {self._checkpoint}, not at {expected}"
            )
        self._checkpoint = checkpoint
        for key, seen in changed.items():
            if seen is None:
                self._views.pop(key, None)
            else:
                self._views[key] = seen

    async def find(
        self, *, equal: Mapping[str, str], after: str | None = None, limit: int = 50
    ) -> Sequence[tuple[str, Seen[V]]]:
        self._projection.require_indexed(equal)
        found = [
            (key, Seen(seen.view.model_copy(update=self._no_detail), seen.position))
            for key, seen in sorted(self._views.items())
            if (after is None or key > after)
            and all(_text(seen.view, field) == value for field, value in equal.items())
        ]
        return found[:limit]

    async def sums(self, fields: Collection[str], *, by: str) -> Mapping[str, Sums]:
        self._projection.require_fields({*fields, by})
        groups: defaultdict[str, list[V]] = defaultdict(list)
        for seen in self._views.values():
            groups[_text(seen.view, by) or ""].append(seen.view)
        return {
            value: Sums(len(views), {field: _sum(views, field) for field in fields})
            for value, views in groups.items()
        }

    async def clear(self) -> None:
        self._views.clear()
        self._checkpoint = None


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
