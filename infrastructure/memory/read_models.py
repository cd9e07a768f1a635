"""Where the views of all builds are, in memory."""

from collections.abc import Sequence
from typing import Any

from application.ports import NotBuilt, V, Views
from application.projections.builds import WHOLE, Build, Shard, readable
from application.projections.projection import Projection
from infrastructure.memory import views
from infrastructure.memory.builds import Builds


class ReadModels:
    """The :class:`~application.ports.ReadModels` whose books these builds are."""

    def __init__(self, declared: Sequence[Projection[Any]], builds: Builds) -> None:
        self._declared, self._builds = declared, builds

    async def live(self, projection: Projection[V]) -> Views[V]:
        found = readable(
            projection.name, await self._builds.standings(projection.name), self._declared
        )
        if found is None:
            raise NotBuilt(f"{projection.name} has not been built yet")
        declared, standing = found
        shards = [shard.shard for shard in standing.shards]
        return views.Views(declared, self._builds.kept[standing.build], shards)

    def of(self, projection: Projection[V], build: Build, shard: Shard = WHOLE) -> Views[V]:
        return views.Views(projection, self._builds.kept[build], (shard,))
