"""Where the views of all builds are, in DynamoDB."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any, Final

from application.ports import V, Views, WritableViews, WrongRole, answering
from application.projections.abilities import Ability, NotOffered, require_offered
from application.projections.builds import WHOLE, Build, BuildStanding, Shard
from application.projections.checkpoint_after import CheckpointAfter
from application.projections.comparing import Comparison, Document, Kept, compared
from application.projections.projection import Projection
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.coordination.checkpoints import Checkpoints
from infrastructure.dynamodb.read_models.books import MOST_SHARDS
from infrastructure.dynamodb.read_models.builds import Builds
from infrastructure.dynamodb.read_models.documents import Documents, kept, places_of
from infrastructure.dynamodb.read_models.guarded import GuardedViews, removed
from infrastructure.dynamodb.read_models.views import STORE, ReadViews
from infrastructure.dynamodb.read_models.walking import walked
from infrastructure.dynamodb.tables import SLOTS


class ReadModels:
    """The :class:`~application.ports.ReadModels` of one database. Raises ``NotOffered``."""

    offers: Final[Collection[Ability]] = (Ability.FIND, Ability.SUM)

    def __init__(
        self, database: Database, declared: Sequence[Projection[Any]], builds: Builds
    ) -> None:
        require_offered(declared, self.offers, STORE)
        for one in declared:
            _require_fit(one)
        self._database, self._declared, self._builds = database, declared, builds
        self._checkpoints = Checkpoints(database)

    async def live(self, projection: Projection[V]) -> Views[V]:
        declared, standing = await answering(self._builds, projection.name, self._declared)

        async def now() -> tuple[Projection[Any], BuildStanding]:
            return await answering(self._builds, projection.name, self._declared)

        return ReadViews(self._database, declared, standing, self._checkpoints, now)

    def of(self, projection: Projection[V], build: Build, shard: Shard = WHOLE) -> WritableViews[V]:
        views = GuardedViews(self._database, Documents(build.table, projection.view, projection))
        parts: GuardedViews[Any] | None = None
        if projection.parts:
            documents = Documents(_parts(build), projection.parts.part)
            parts = GuardedViews(self._database, documents)
        return CheckpointAfter(build, views, parts, self._checkpoints, shard)

    async def compare(self, live: Build, build: Build) -> Comparison:
        standings = await self._builds.standings(live.name)  # before what is compared
        both = [of for of in standings if of.build in (live, build)]
        places = [-1 if of.position is None else of.position for of in both]
        return await compared(self._kept(live), self._kept(build), min(places, default=-1))

    async def _kept(self, build: Build) -> AsyncIterator[Kept]:
        async for item in walked(self._database, places_of(build.table)):
            yield kept(item)

    async def documents(self, build: Build) -> AsyncIterator[tuple[str, Document]]:
        for table in (build.table, _parts(build)):
            async for item in walked(self._database, places_of(table)):
                key, _, document = kept(item)
                if document is not None:
                    yield key, document

    async def discard(self, build: Build) -> None:
        if any(of.build == build for of in await self._builds.standings(build.name)):
            raise WrongRole(f"{build.table} has not been dropped")
        for table in (build.table, _parts(build)):
            await removed(self._database, table)


def _require_fit(projection: Projection[Any]) -> None:
    for what, count, most in (
        ("indexed fields", len(projection.indexed), SLOTS),
        ("shards", projection.shards, MOST_SHARDS),
    ):
        if count > most:
            raise NotOffered(
                f"{projection.name} cannot be kept in {STORE}: it has {count} {what}, and there "
                f"are at most {most}"
            )


def _parts(build: Build) -> str:
    return f"{build.table}_parts"
