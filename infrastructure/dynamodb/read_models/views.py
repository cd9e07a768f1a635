"""The views of a read model as queries read them: of the build that is live."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final, Generic, NoReturn, TypeVar

from application.ports import Seen, Sums, Total, V
from application.projections.abilities import Ability, refuse
from application.projections.builds import BuildStanding
from application.projections.projection import Projection
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.coordination.checkpoints import Checkpoints
from infrastructure.dynamodb.read_models.documents import Documents
from infrastructure.dynamodb.read_models.finding import Finding, Within
from infrastructure.dynamodb.read_models.guarded import GuardedViews

T = TypeVar("T")
Readable = tuple[Projection[Any], BuildStanding]

STORE: Final = "DynamoDB"


class ReadViews(Generic[V]):
    """The ``Views`` of the live build: looked up, found and summed."""

    def __init__(
        self,
        database: Database,
        projection: Projection[Any],
        standing: BuildStanding,
        checkpoints: Checkpoints,
        now: Callable[[], Awaitable[Readable]],
    ) -> None:
        """``now`` returns what to read when that build has been dropped meanwhile."""
        self._database, self._checkpoints, self._now = database, checkpoints, now
        self._read(projection, standing)

    def _read(self, projection: Projection[Any], standing: BuildStanding) -> None:
        documents = Documents(standing.build.table, projection.view, projection)
        self._standing = standing
        self._views = GuardedViews[V](self._database, documents)
        self._finding = Finding[V](self._database, documents, projection)

    async def checkpoint(self) -> int | None:
        table, shards = self._standing.build.table, self._standing.shards
        found = await self._checkpoints.standings([(table, of.shard.index) for of in shards])
        return min(place for place, _ in found.values()) if len(found) == len(shards) else None

    async def load(self, keys: Collection[str]) -> Mapping[str, Seen[V]]:
        found = await self._asked(
            lambda: self._views.load(keys), lambda found: len(found) < len(set(keys))
        )
        return {key: seen for key, seen in found.items() if isinstance(seen, Seen)}

    async def find(
        self,
        *,
        equal: Mapping[str, str],
        by: str | None = None,
        since: str | None = None,
        until: str | None = None,
        after: str | None = None,
        descending: bool = False,
        limit: int = 50,
    ) -> Sequence[tuple[str, Seen[V]]]:
        wanted = Within(equal, by, since, until)
        return await self._asked(
            lambda: self._finding.find(wanted, after, descending=descending, limit=limit),
            lambda found: len(found) < limit,
        )

    async def count(
        self,
        *,
        equal: Mapping[str, str],
        by: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> int:
        wanted = Within(equal, by, since, until)
        return await self._asked(lambda: self._finding.count(wanted))

    async def total(
        self,
        *,
        equal: Mapping[str, str],
        by: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> Total:
        wanted = Within(equal, by, since, until)
        return await self._asked(lambda: self._finding.total(wanted))

    async def sums(
        self,
        fields: Collection[str],
        *,
        by: str,
        equal: Mapping[str, str] | None = None,
        after: str | None = None,
        until: str | None = None,
    ) -> Mapping[str, Sums]:
        return await self._asked(
            lambda: self._finding.sums(fields, by=by, equal=equal, after=after, until=until)
        )

    async def search(self, *_: Any, **__: Any) -> NoReturn:
        refuse(Ability.SEARCH, STORE)

    async def _asked(
        self,
        question: Callable[[], Awaitable[T]],
        may_lack: Callable[[T], bool] = lambda _: True,
    ) -> T:
        """The answer. One that may lack something counts only while the build is there."""
        answer = await question()
        if not may_lack(answer):
            return answer
        projection, standing = await self._now()
        if standing.build == self._standing.build:
            return answer
        self._read(projection, standing)
        return await question()
