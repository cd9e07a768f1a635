"""The views and parts of the last batches, in memory: most of the next ones are among them.

A batch is written behind: while the store is at it, the next one is folded, on top of what is here.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from types import MappingProxyType
from typing import Any, Final, Generic

from application.ports import Changed, Promise, Removed, Seen, V, WritableViews

KEPT: Final = 2_000
"""How many views, and how many parts, at most, besides those of the batch that is being written."""

_Load = Callable[[Collection[str]], Awaitable[Changed[Any]]]


class RecentViews(Generic[V]):
    """Views as their only writer sees them: what it has loaded or saved it does not load again.

    After a save that failed, everything is loaded anew.
    """

    def __init__(self, views: WritableViews[V], kept: int = KEPT) -> None:
        self._views = views
        self._recent_views, self._recent_parts = _Recent(kept), _Recent(kept)
        self._saving: asyncio.Task[None] | None = None

    @property
    def promise(self) -> Promise:
        """As the port."""
        return self._views.promise

    @property
    def saving(self) -> bool:
        """Whether a save has begun that has not been awaited."""
        return self._saving is not None

    async def checkpoint(self) -> int | None:
        """As the port. Forgets all views and parts, since following starts with it."""
        self._forget()
        return await self._views.checkpoint()

    async def load(self, keys: Collection[str]) -> Changed[V]:
        """As the port, and with what is being saved."""
        return await self._recent_views.load(keys, self._views.load)

    async def load_parts(self, keys: Collection[str]) -> Changed[Any]:
        """As the port, and with what is being saved."""
        return await self._recent_parts.load(keys, self._views.load_parts)

    def save(
        self,
        changed: Changed[V],
        *,
        parts: Changed[Any] = MappingProxyType({}),
        events: int = 0,
        checkpoint: int,
        expected: int | None,
    ) -> None:
        """Begin to save, as the port; ``saved`` is to be awaited before the next one."""
        assert self._saving is None, "one save at a time"
        self._recent_views.keep(changed)
        self._recent_parts.keep(parts)
        self._saving = asyncio.create_task(
            self._views.save(
                changed, parts=parts, events=events, checkpoint=checkpoint, expected=expected
            )
        )

    async def saved(self) -> None:
        """Wait until all is in the store; raises what the save raised."""
        if self._saving is None:
            return
        try:
            await self._saving
        except BaseException:  # after any error, what is in the store is not known
            self._forget()
            raise
        finally:
            self._saving = None
        self._recent_views.trim()
        self._recent_parts.trim()

    async def abandon(self) -> None:
        """Break off what is being saved. What is in the store then is what the port promises."""
        if self._saving is not None:
            self._saving.cancel()
            await asyncio.gather(self._saving, return_exceptions=True)
            self._saving = None

    def _forget(self) -> None:
        self._recent_views.clear()
        self._recent_parts.clear()


class _Recent(OrderedDict[str, Seen[Any] | Removed | None]):
    """What was used last; of ``None`` the store knows nothing."""

    def __init__(self, kept: int) -> None:
        super().__init__()
        self._kept = kept

    async def load(self, keys: Collection[str], load: _Load) -> Changed[Any]:
        for key in self.keys() & set(keys):
            self.move_to_end(key)
        if unknown := [key for key in keys if key not in self]:
            found = await load(unknown)
            self.update((key, found.get(key)) for key in unknown)
        return {key: seen for key in keys if (seen := self[key]) is not None}

    def keep(self, changed: Changed[Any]) -> None:
        """Keep these as the newest."""
        for key, seen in changed.items():
            self[key] = seen
            self.move_to_end(key)

    def trim(self) -> None:
        """Let go of the oldest. Not during a save: the store does not have yet what is here."""
        while len(self) > self._kept:
            self.popitem(last=False)
