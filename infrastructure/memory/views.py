"""The views of builds in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Generic

from application.ports import Changed, Promise, Removed, Seen, V
from application.projections.builds import WHOLE, Shard
from application.projections.projection import Projection
from infrastructure.memory.coordination import Checkpoints
from infrastructure.memory.reading import Reading


@dataclass
class Kept(Generic[V]):
    """What one build holds; its shards share it."""

    name: str  # of its checkpoints
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    views: dict[str, Seen[V]] = field(default_factory=dict)
    parts: dict[str, Seen[Any]] = field(default_factory=dict)
    removed: dict[str, Removed] = field(default_factory=dict)  # where the checkpoint comes after
    removed_parts: dict[str, Removed] = field(default_factory=dict)


class Views(Reading[V]):
    """The ``Views`` of all shards of a build, and the ``WritableViews`` of one, in one step."""

    promise: Final = Promise.TOGETHER

    def __init__(
        self,
        projection: Projection[V],
        kept: Kept[V] | None = None,
        shards: Sequence[Shard] = (WHOLE,),
    ) -> None:
        self._projection, self._shards = projection, shards
        self._kept: Kept[V] = kept or Kept(projection.name)
        super().__init__(projection, self._kept.views)

    async def prepare(self) -> None:
        """There is always room in memory."""

    async def checkpoint(self) -> int | None:
        kept = self._kept
        positions = [kept.checkpoints.standing(kept.name, of.index)[0] for of in self._shards]
        known = [position for position in positions if position is not None]
        return min(known) if len(known) == len(positions) else None

    async def load_parts(self, keys: Collection[str]) -> Mapping[str, Seen[Any]]:
        return {key: self._kept.parts[key] for key in keys if key in self._kept.parts}

    async def save(
        self,
        changed: Changed[V],
        *,
        parts: Changed[Any] = MappingProxyType({}),
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

    async def clear(self) -> None:
        self._kept.views.clear()
        self._kept.parts.clear()
        await self._kept.checkpoints.forget(self._kept.name)


def _write(changed: Changed[Any], kept: dict[str, Seen[Any]]) -> None:
    for key, seen in changed.items():
        if isinstance(seen, Removed):
            kept.pop(key, None)
        else:
            kept[key] = seen
