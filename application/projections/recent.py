"""The views and parts of the last batches, kept in memory: most of the next ones are among them."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, Final, Generic

from application.ports import Seen, V, Views

KEPT: Final = 2_000
"""How many views, and how many parts, at most."""

_Load = Callable[[Collection[str]], Awaitable[Mapping[str, Seen[Any]]]]


class RecentViews(Generic[V]):
    """Views as their only writer sees them: what it has loaded or saved it does not load again.

    After a save that failed, everything is loaded anew.
    """

    def __init__(self, views: Views[V], kept: int = KEPT) -> None:
        self._views = views
        self._recent_views, self._recent_parts = _Recent(kept), _Recent(kept)

    async def checkpoint(self) -> int | None:
        """As the port; asked for when following starts, so it forgets what it knew."""
        self._forget()
        return await self._views.checkpoint()

    async def load(self, keys: Collection[str]) -> Mapping[str, Seen[V]]:
        """As the port."""
        return await self._recent_views.load(keys, self._views.load)

    async def load_parts(self, keys: Collection[str]) -> Mapping[str, Seen[Any]]:
        """As the port."""
        return await self._recent_parts.load(keys, self._views.load_parts)

    async def save(
        self,
        changed: Mapping[str, Seen[V] | None],
        *,
        parts: Mapping[str, Seen[Any] | None] = MappingProxyType({}),
        events: int = 0,
        checkpoint: int,
        expected: int | None,
    ) -> None:
        """As the port."""
        try:
            await self._views.save(
                changed, parts=parts, events=events, checkpoint=checkpoint, expected=expected
            )
        except BaseException:  # whatever it was: what is in the store is not known
            self._forget()
            raise
        self._recent_views.keep(changed)
        self._recent_parts.keep(parts)

    def _forget(self) -> None:
        self._recent_views.clear()
        self._recent_parts.clear()


class _Recent(OrderedDict[str, Seen[Any] | None]):
    """What was used last; ``None`` is known not to be there."""

    def __init__(self, kept: int) -> None:
        super().__init__()
        self._kept = kept

    async def load(self, keys: Collection[str], load: _Load) -> Mapping[str, Seen[Any]]:
        for key in self.keys() & set(keys):
            self.move_to_end(key)
        if unknown := [key for key in keys if key not in self]:
            found = await load(unknown)
            self.keep({key: found.get(key) for key in unknown}, but=len(keys))
        return {key: seen for key in keys if (seen := self[key]) is not None}

    def keep(self, changed: Mapping[str, Seen[Any] | None], *, but: int = 0) -> None:
        """Keep these as the newest; never fewer than ``but``, which are in use."""
        for key, seen in changed.items():
            self[key] = seen
            self.move_to_end(key)
        while len(self) > max(self._kept, but):
            self.popitem(last=False)
