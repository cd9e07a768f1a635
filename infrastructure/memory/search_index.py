"""A search index in memory: it looks up and searches, and keeps its checkpoints elsewhere."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Generic, NoReturn

from application.ports import Seen, V, Views
from application.projections.abilities import Ability, NotOffered, require_offered
from application.projections.builds import WHOLE, Build, Shard
from application.projections.checkpoint_after import CheckpointAfter
from application.projections.comparing import Comparison
from application.projections.projection import Projection
from infrastructure.memory.builds import Builds
from infrastructure.memory.guarded import GuardedViews
from infrastructure.memory.read_models import ReadModels

_NAME: Final = "a search index"


class SearchIndex:
    """The :class:`~application.ports.ReadModels` of a search engine. Raises ``NotOffered``."""

    offers: Final[Collection[Ability]] = (Ability.SEARCH,)

    def __init__(self, declared: Sequence[Projection[Any]], builds: Builds) -> None:
        require_offered(declared, self.offers, _NAME)
        self._models, self._builds = ReadModels(declared, builds), builds

    async def live(self, projection: Projection[V]) -> Views[V]:
        return SearchedViews(await self._models.live(projection))

    def of(
        self, projection: Projection[V], build: Build, shard: Shard = WHOLE
    ) -> CheckpointAfter[V]:
        kept = self._builds.kept(build)
        parts = GuardedViews[Any](kept.parts, kept.removed_parts) if projection.parts else None
        views = GuardedViews[V](kept.views, kept.removed)
        return CheckpointAfter(build, views, parts, self._builds.checkpoints, shard)

    async def compare(self, live: Build, build: Build) -> Comparison:
        return await self._models.compare(live, build)

    async def discard(self, build: Build) -> None:
        await self._models.discard(build)


class SearchedViews(Generic[V]):
    """Views that can be looked up and searched."""

    def __init__(self, views: Views[V]) -> None:
        self._views = views

    async def checkpoint(self) -> int | None:
        return await self._views.checkpoint()

    async def load(self, keys: Collection[str]) -> Mapping[str, Seen[V]]:
        return await self._views.load(keys)

    async def search(
        self, words: str, *, after: tuple[Decimal, str] | None = None, limit: int = 50
    ) -> Sequence[tuple[str, Seen[V]]]:
        return await self._views.search(words, after=after, limit=limit)

    async def find(self, **_: Any) -> NoReturn:
        _refuse(Ability.FIND)

    async def count(self, **_: Any) -> NoReturn:
        _refuse(Ability.FIND)

    async def sums(self, *_: Any, **__: Any) -> NoReturn:
        _refuse(Ability.SUM)


def _refuse(ability: Ability) -> NoReturn:
    raise NotOffered(f"{_NAME} cannot {ability}")
