"""Read models in several stores: each is kept where its queries are answered best."""

from collections.abc import AsyncIterator, Collection, Mapping
from functools import reduce

from application.ports import ReadModels, V, Views, WritableViews
from application.projections.abilities import Ability
from application.projections.builds import WHOLE, Build, Shard
from application.projections.comparing import Comparison, Document
from application.projections.projection import Projection


class PlacedReadModels:
    """The :class:`~application.ports.ReadModels` of several stores. One ``Builds`` knows them all.

    ``elsewhere`` has the store of each read model that is not in ``mostly``, by its name.
    """

    def __init__(self, mostly: ReadModels, elsewhere: Mapping[str, ReadModels]) -> None:
        self._mostly, self._elsewhere = mostly, elsewhere

    @property
    def offers(self) -> Collection[Ability]:
        """What every one of the stores offers."""
        stores = [self._mostly, *self._elsewhere.values()]
        return reduce(set.intersection, (set(store.offers) for store in stores))

    async def live(self, projection: Projection[V]) -> Views[V]:
        return await self._place(projection.name).live(projection)

    def of(self, projection: Projection[V], build: Build, shard: Shard = WHOLE) -> WritableViews[V]:
        return self._place(projection.name).of(projection, build, shard)

    async def compare(self, live: Build, build: Build) -> Comparison:
        return await self._place(live.name).compare(live, build)

    def documents(self, build: Build) -> AsyncIterator[tuple[str, Document]]:
        return self._place(build.name).documents(build)

    async def discard(self, build: Build) -> None:
        await self._place(build.name).discard(build)

    def _place(self, name: str) -> ReadModels:
        return self._elsewhere.get(name, self._mostly)
