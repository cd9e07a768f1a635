"""Views that a test fills and reads, and read models whose views are written one by one."""

from typing import Protocol

from application.ports import V, Views, WritableViews
from application.projections.abilities import Ability
from application.projections.projection import Projection
from infrastructure import memory


class Filled(Views[V], WritableViews[V], Protocol[V]):
    """Read and written through one object, as in memory and in PostgreSQL."""


class OneByOne(memory.SearchIndex):
    """Every view by itself and the checkpoint after them all; queries may ask for anything."""

    offers = tuple(Ability)  # type: ignore[misc]  # a search index does not offer this

    async def live(self, projection: Projection[V]) -> Views[V]:
        return await self._models.live(projection)
