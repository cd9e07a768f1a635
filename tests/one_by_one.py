"""Read models in memory whose views are written one by one, as some stores have to."""

from typing import Any

from application.ports import V
from application.projections.builds import WHOLE, Build, Shard
from application.projections.checkpoint_after import CheckpointAfter
from application.projections.projection import Projection
from infrastructure import memory


class OneByOne(memory.ReadModels):
    """Every view by itself and the checkpoint after them all; queries may ask for anything."""

    def of(  # type: ignore[override]  # it writes otherwise
        self, projection: Projection[V], build: Build, shard: Shard = WHOLE
    ) -> CheckpointAfter[V]:
        kept = self._builds.kept(build)
        views = memory.GuardedViews[V](kept.views, kept.removed)
        parts = memory.GuardedViews[Any](kept.parts, kept.removed_parts)
        of_parts = parts if projection.parts else None
        return CheckpointAfter(build, views, of_parts, self._builds.checkpoints, shard)
