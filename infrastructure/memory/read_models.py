"""Where the views of all builds are, in memory."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

from application.ports import Seen, V, Views, answering
from application.projections.abilities import Ability, require_offered
from application.projections.builds import WHOLE, Build, Shard
from application.projections.comparing import Comparison, Document, Kept, Tally
from application.projections.projection import Projection, View
from infrastructure.memory import views
from infrastructure.memory.builds import Builds


class ReadModels:
    """The :class:`~application.ports.ReadModels` of these builds. Raises ``NotOffered``."""

    offers: Collection[Ability] = tuple(Ability)

    def __init__(self, declared: Sequence[Projection[Any]], builds: Builds) -> None:
        require_offered(declared, self.offers, "memory")
        self._declared, self._builds = declared, builds

    async def live(self, projection: Projection[V]) -> Views[V]:
        declared, standing = await answering(self._builds, projection.name, self._declared)
        shards = [shard.shard for shard in standing.shards]
        return views.Views(declared, self._builds.kept(standing.build), shards)

    def of(self, projection: Projection[V], build: Build, shard: Shard = WHOLE) -> views.Views[V]:
        return views.Views(projection, self._builds.kept(build), (shard,))

    async def compare(self, live: Build, build: Build) -> Comparison:
        standings = await self._builds.standings(live.name)
        places = [
            -1 if standing.position is None else standing.position
            for standing in standings
            if standing.build in (live, build)
        ]
        old, new = self._builds.kept(live).views, self._builds.kept(build).views
        tally = Tally(min(places, default=-1))
        for key in sorted(old.keys() | new.keys()):
            tally.judge(key, _kept(key, old.get(key)), _kept(key, new.get(key)))
        return tally.comparison()

    async def documents(self, build: Build) -> AsyncIterator[tuple[str, Document]]:
        kept = self._builds.kept(build)
        for key, seen in [*kept.views.items(), *kept.parts.items()]:
            if isinstance(seen, Seen):
                yield key, seen.view.model_dump(mode="json")

    async def discard(self, build: Build) -> None:
        self._builds.discard(build)


def _kept(key: str, seen: Seen[View] | None) -> Kept | None:
    return Kept(key, seen.position, seen.view.model_dump(mode="json")) if seen else None
