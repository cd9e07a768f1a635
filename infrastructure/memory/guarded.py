"""Guarded views in memory, as in a store that changes one view at a time."""

import asyncio
from collections.abc import Collection
from typing import Generic

from application.ports import Changed, Removed, Seen, V


class GuardedViews(Generic[V]):
    """The :class:`~application.ports.GuardedViews` that share these two mappings."""

    def __init__(
        self, shown: dict[str, Seen[V]] | None = None, removed: dict[str, Removed] | None = None
    ) -> None:
        self._shown: dict[str, Seen[V]] = {} if shown is None else shown
        self._removed: dict[str, Removed] = {} if removed is None else removed

    async def prepare(self) -> None:
        """There is always room in memory."""

    async def load(self, keys: Collection[str]) -> Changed[V]:
        known = {key: self._known(key) for key in keys}
        return {key: one for key, one in known.items() if one is not None}

    async def write(self, changed: Changed[V]) -> None:
        for key, new in changed.items():
            known = self._known(key)
            if known is None or known.position < new.position:
                self._replace(key, new)
            await asyncio.sleep(0)  # other tasks run between two of them, or the process ends

    async def clear(self) -> None:
        self._shown.clear()
        self._removed.clear()

    def _known(self, key: str) -> Seen[V] | Removed | None:
        return self._shown.get(key) or self._removed.get(key)

    def _replace(self, key: str, new: Seen[V] | Removed) -> None:
        self._shown.pop(key, None)
        self._removed.pop(key, None)
        if isinstance(new, Removed):
            self._removed[key] = new
        else:
            self._shown[key] = new
