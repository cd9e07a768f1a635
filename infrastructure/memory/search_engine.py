"""A search engine in memory: it looks up and searches, and knows nothing of checkpoints."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Generic

from application.ports import Changed, IndexMissing, Removed, Seen, V
from application.projections.builds import Build
from application.projections.comparing import Kept
from application.projections.projection import Projection
from application.projections.searching import SearchReadModels
from infrastructure.memory.builds import Builds
from infrastructure.memory.guarded import GuardedViews
from infrastructure.memory.reading import Reading


@dataclass
class _Held:
    """What one index holds."""

    filling: int
    shown: dict[str, Seen[Any]] = field(default_factory=dict)
    removed: dict[str, Removed] = field(default_factory=dict)


class SearchEngine:
    """The :class:`~application.ports.SearchEngine` of one process."""

    name: Final = "a search index"

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self.shown: dict[str, Build] = {}
        """The build to which the name of each read model leads."""

    def index(self, projection: Projection[V], build: Build) -> "SearchIndex[V]":
        return SearchIndex(self._held, build.table, projection)

    def parts(self, projection: Projection[Any], build: Build) -> "SearchIndex[Any]":
        return SearchIndex(self._held, _parts(build), projection)

    async def kept(self, build: Build, *, parts: bool = False) -> AsyncIterator[Kept]:
        held = self._held.get(_parts(build) if parts else build.table, _Held(0))
        known: dict[str, Seen[Any] | Removed] = {**held.removed, **held.shown}
        for key in sorted(known):
            one = known[key]
            document = one.view.model_dump(mode="json") if isinstance(one, Seen) else None
            yield Kept(key, one.position, document)

    async def show(self, build: Build) -> None:
        if build.table not in self._held:
            raise IndexMissing(f"there is no index {build.table}")
        self.shown[build.name] = build

    async def remove(self, build: Build) -> None:
        for name in (build.table, _parts(build)):
            self._held.pop(name, None)


class SearchIndex(Generic[V]):
    """The :class:`~application.ports.SearchIndex` of that name among those held."""

    def __init__(self, held: dict[str, _Held], name: str, projection: Projection[V]) -> None:
        self._held, self._name, self._projection = held, name, projection
        self._known: int | None = None  # the index that writes are for

    async def filling(self) -> int | None:
        held = self._held.get(self._name)
        self._known = held.filling if held else None
        return self._known

    async def begin(self, filling: int) -> None:
        self._held[self._name] = _Held(filling)
        self._known = filling

    async def prepare(self) -> None:
        if await self.filling() is None:
            await self.begin(1)

    async def load(self, keys: Collection[str]) -> Changed[V]:
        return await self._guarded.load(keys)

    async def write(self, changed: Changed[V]) -> None:
        if self._there.filling != self._known:
            raise IndexMissing(f"{self._name} has been begun anew")
        await self._guarded.write(changed)

    async def clear(self) -> None:
        await self.begin(self._there.filling + 1)

    async def search(
        self, words: Collection[str], *, after: tuple[Decimal, str] | None = None, limit: int = 50
    ) -> Sequence[tuple[str, Seen[V]]]:
        reading = Reading(self._projection, self._there.shown)
        return await reading.search(" ".join(words), after=after, limit=limit)

    @property
    def _there(self) -> _Held:
        if (held := self._held.get(self._name)) is None:
            raise IndexMissing(f"there is no index {self._name}")
        return held

    @property
    def _guarded(self) -> GuardedViews[V]:
        return GuardedViews(self._there.shown, self._there.removed)


class IndexedReadModels(SearchReadModels):
    """Read models in a search engine of their own, beside these builds."""

    def __init__(self, declared: Sequence[Projection[Any]], builds: Builds) -> None:
        super().__init__(SearchEngine(), declared, builds, builds.checkpoints)


def _parts(build: Build) -> str:
    return f"{build.table}_parts"
