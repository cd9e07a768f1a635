"""Where the views of all builds are, in PostgreSQL."""

from collections.abc import AsyncIterator, Collection, Sequence
from functools import partial
from typing import Any

from application.ports import V, WrongRole
from application.projections.abilities import Ability, require_offered
from application.projections.builds import WHOLE, Build, Shard
from application.projections.comparing import Comparison, Document
from application.projections.projection import Projection
from infrastructure.postgres.pools import Pool
from infrastructure.postgres.read_models.answering import AnsweringBuilds
from infrastructure.postgres.read_models.builds import Builds
from infrastructure.postgres.read_models.comparing import compare
from infrastructure.postgres.read_models.documents import documents
from infrastructure.postgres.read_models.rows import locked, roles
from infrastructure.postgres.read_models.tables import drop_tables
from infrastructure.postgres.read_models.views import Views


class ReadModels:
    """The :class:`~application.ports.ReadModels` of one database. Raises ``NotOffered``."""

    offers: Collection[Ability] = tuple(Ability)

    def __init__(self, pool: Pool, declared: Sequence[Projection[Any]], builds: Builds) -> None:
        require_offered(declared, self.offers, "PostgreSQL")
        self._pool, self._answering = pool, AnsweringBuilds(builds, declared)

    async def live(self, projection: Projection[V]) -> Views[V]:
        name = projection.name
        last = self._answering.last_live(name)
        found = last or await self._answering.now(name)
        return Views(
            self._pool,
            found.projection,
            found.build,
            found.shards,
            partial(self._answering.now, name),
            assumed=last is not None,
        )

    def of(self, projection: Projection[V], build: Build, shard: Shard = WHOLE) -> Views[V]:
        return Views(self._pool, projection, build, (shard,))

    async def compare(self, live: Build, build: Build) -> Comparison:
        return await compare(self._pool, live, build)

    async def documents(self, build: Build) -> AsyncIterator[tuple[str, Document]]:
        async for one in documents(self._pool, build.table):
            yield one

    async def discard(self, build: Build) -> None:
        async with locked(self._pool) as connection:
            if build in (await roles(connection, build.name)).values():
                raise WrongRole(f"{build.table} has not been dropped")
            await drop_tables(connection, build.table)
