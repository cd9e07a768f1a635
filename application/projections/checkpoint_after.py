"""Views whose checkpoint is written after them: for stores that share no transaction with it."""

from collections.abc import Collection
from types import MappingProxyType
from typing import Any, Final, Generic

from application.ports import Changed, Checkpoints, GuardedViews, Promise, V
from application.projections.builds import WHOLE, Build, Shard


class CheckpointAfter(Generic[V]):
    """``WritableViews`` of guarded views, guarded parts, and a checkpoint elsewhere.

    A crash leaves the checkpoint behind what was written, never before it: the events between are
    folded again, and the guards let nothing older replace anything newer. Views are written before
    parts, which :mod:`~application.projections.gathering` relies on.
    """

    promise: Final = Promise.AFTER

    def __init__(
        self,
        build: Build,
        views: GuardedViews[V],
        parts: GuardedViews[Any] | None,
        checkpoints: Checkpoints,
        shard: Shard = WHOLE,
    ) -> None:
        """``parts``: for a projection that has some."""
        self._name, self._shard = build.table, shard.index
        self._views, self._parts, self._checkpoints = views, parts, checkpoints

    async def prepare(self) -> None:
        await self._views.prepare()
        if self._parts:
            await self._parts.prepare()

    async def checkpoint(self) -> int | None:
        return await self._checkpoints.load(self._name, self._shard)

    async def load(self, keys: Collection[str]) -> Changed[V]:
        return await self._views.load(keys)

    async def load_parts(self, keys: Collection[str]) -> Changed[Any]:
        assert self._parts  # of a projection with parts
        return await self._parts.load(keys)

    async def save(
        self,
        changed: Changed[V],
        *,
        parts: Changed[Any] = MappingProxyType({}),
        events: int = 0,
        checkpoint: int,
        expected: int | None,
    ) -> None:
        if changed:
            await self._views.write(changed)
        if parts and self._parts:
            await self._parts.write(parts)
        await self.require_current()
        await self._checkpoints.advance(
            self._name, checkpoint, expected=expected, events=events, shard=self._shard
        )

    async def require_current(self) -> None:
        """Raises ``CheckpointMoved`` if what was written is not what the checkpoint is of.

        Here it always is; a store that may lose views, and fill them again, asks.
        """

    async def clear(self) -> None:
        await self._checkpoints.forget(self._name)  # first: what is missing is then filled again
        await self._views.clear()
        if self._parts:
            await self._parts.clear()
