"""Read models in a search engine: written with the checkpoint after them, found by words.

A search engine has no transaction with the database of the checkpoints, so an index may be lost, or
exchanged for another, while its checkpoint stays. Each index therefore has a number, which is also
noted beside the checkpoint. Where the two differ, the index is filled again from the first event.
"""

import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final, Generic, NoReturn, TypeVar

from application.ports import (
    Builds,
    CheckpointMoved,
    Checkpoints,
    IndexMissing,
    NotBuilt,
    NotOurs,
    ReadModels,
    SearchEngine,
    SearchIndex,
    Seen,
    StoreUnavailable,
    V,
    Views,
    WrongRole,
)
from application.projections.abilities import Ability, refuse, require_offered
from application.projections.builds import WHOLE, Build, BuildStanding, Shard, readable, unreadable
from application.projections.checkpoint_after import CheckpointAfter
from application.projections.comparing import Comparison, compared
from application.projections.projection import Projection
from application.projections.words import words as words_of

T = TypeVar("T")

_OWNER: Final = "search.owner"

_NUMBERS: Final = 2**52  # so many that no index has that of another by chance


class FilledElsewhere(CheckpointAfter[V]):
    """The views of one build in a search engine. What was lost there is filled again."""

    def __init__(
        self,
        build: Build,
        views: SearchIndex[V],
        parts: SearchIndex[Any] | None,
        checkpoints: Checkpoints,
        shard: Shard = WHOLE,
    ) -> None:
        super().__init__(build, views, parts, checkpoints, shard)
        self._indexes: Sequence[SearchIndex[Any]] = [views, parts] if parts else [views]
        self._number = _number_of(build)

    async def prepare(self) -> None:
        """Make the indexes, unless those that belong to the checkpoint are there."""
        known = await self._checkpoints.load(self._number)
        if {await index.filling() for index in self._indexes} == {known} != {None}:
            return
        await self._checkpoints.forget(self._name)  # before the views: it is never beyond them
        await self._checkpoints.forget(self._number)
        number = random.randint(1, _NUMBERS)
        for index in self._indexes:
            await index.begin(number)
        await self._checkpoints.advance(self._number, number, expected=None)

    async def checkpoint(self) -> int | None:
        """As the port. Prepares anew, since an index may have been removed in the meantime."""
        await self.prepare()
        return await super().checkpoint()


class SearchReadModels:
    """The :class:`~application.ports.ReadModels` of a search engine. Raises ``NotOffered``."""

    offers: Final[Collection[Ability]] = (Ability.SEARCH,)

    def __init__(
        self,
        engine: SearchEngine,
        declared: Sequence[Projection[Any]],
        builds: Builds,
        checkpoints: Checkpoints,
    ) -> None:
        require_offered(declared, self.offers, engine.name)
        self._engine, self._declared = engine, declared
        self._builds, self._checkpoints = builds, checkpoints
        self._shown: dict[str, Build] = {}

    async def live(self, projection: Projection[V]) -> Views[V]:
        declared, standing = await self._readable(projection.name)
        await self._show(standing.build)

        async def moved() -> SearchIndex[V]:
            self._shown.pop(projection.name, None)
            declared, standing = await self._readable(projection.name)
            return self._engine.index(declared, standing.build)

        return SearchedViews(
            declared,
            self._engine.index(declared, standing.build),
            lambda: self._checkpoint(standing),
            self._engine.name,
            moved,
        )

    def of(
        self, projection: Projection[V], build: Build, shard: Shard = WHOLE
    ) -> FilledElsewhere[V]:
        parts = self._engine.parts(projection, build) if projection.parts else None
        views = self._engine.index(projection, build)
        return FilledElsewhere(build, views, parts, self._checkpoints, shard)

    async def compare(self, live: Build, build: Build) -> Comparison:
        standings = await self._builds.standings(live.name)
        both = [of for of in standings if of.build in (live, build)]
        places = [-1 if of.position is None else of.position for of in both]
        place = min(places, default=-1)
        return await compared(self._engine.kept(live), self._engine.kept(build), place)

    async def discard(self, build: Build) -> None:
        if any(of.build == build for of in await self._builds.standings(build.name)):
            raise WrongRole(f"{build.table} has not been dropped")
        await self._engine.remove(build)
        await self._checkpoints.forget(_number_of(build))

    async def _readable(self, name: str) -> tuple[Projection[Any], BuildStanding]:
        standings = await self._builds.standings(name)
        found = readable(name, standings, self._declared)
        if found is None:
            raise NotBuilt(unreadable(name, standings))
        return found

    async def _checkpoint(self, standing: BuildStanding) -> int | None:
        """How far all shards of the build are."""
        name = standing.build.table
        found = [await self._checkpoints.load(name, of.shard.index) for of in standing.shards]
        known = [position for position in found if position is not None]
        return min(known) if len(known) == len(found) else None

    async def _show(self, build: Build) -> None:
        """Let other programs find the build that is live now. Queries here do not depend on it."""
        if self._shown.get(build.name) == build:
            return
        with suppress(StoreUnavailable, NotOurs):  # the next query tries again
            await self._engine.show(build)
            self._shown[build.name] = build


class SearchedViews(Generic[V]):
    """The ``Views`` of a build in a search engine: looked up and searched."""

    def __init__(
        self,
        projection: Projection[V],
        index: SearchIndex[V],
        checkpoint: Callable[[], Awaitable[int | None]],
        engine: str,
        moved: Callable[[], Awaitable[SearchIndex[V]]],
    ) -> None:
        """``moved`` returns what to read instead when that build has been dropped meanwhile."""
        self._projection, self._index, self._engine = projection, index, engine
        self._checkpoint, self._moved = checkpoint, moved

    async def checkpoint(self) -> int | None:
        return await self._checkpoint()

    async def load(self, keys: Collection[str]) -> Mapping[str, Seen[V]]:
        found = await self._asked(lambda index: index.load(keys))
        return {key: seen for key, seen in found.items() if isinstance(seen, Seen)}

    async def search(
        self, words: str, *, after: tuple[Decimal, str] | None = None, limit: int = 50
    ) -> Sequence[tuple[str, Seen[V]]]:
        self._projection.require_search()
        wanted = words_of(words)
        return await self._asked(lambda index: index.search(wanted, after=after, limit=limit))

    async def find(self, **_: Any) -> NoReturn:
        refuse(Ability.FIND, self._engine)

    async def count(self, **_: Any) -> NoReturn:
        refuse(Ability.FIND, self._engine)

    async def sums(self, *_: Any, **__: Any) -> NoReturn:
        refuse(Ability.SUM, self._engine)

    async def _asked(self, question: Callable[[SearchIndex[V]], Awaitable[T]]) -> T:
        """What the index answers, or that of the build that is live instead of it."""
        try:
            return await question(self._index)
        except IndexMissing:
            self._index = await self._moved()
        try:
            return await question(self._index)
        except IndexMissing as error:
            raise NotBuilt(str(error)) from error


async def owner_of(checkpoints: Checkpoints) -> int:
    """A number (1 to 2**32 - 1) for the service whose checkpoints these are, chosen once.

    Names of indexes have it, so that services share a search engine without knowing one another.
    """
    if (owner := await checkpoints.load(_OWNER)) is None:
        owner = random.randint(1, 2**32 - 1)
        try:
            await checkpoints.advance(_OWNER, owner, expected=None)
        except CheckpointMoved:  # another process has chosen one
            return await owner_of(checkpoints)
    return owner


async def fill_again(
    projections: Iterable[Projection[Any]],
    builds: Builds,
    read_models: ReadModels,
    checkpoints: Checkpoints,
) -> None:
    """Empty the builds of these read models that were kept in a search engine before.

    Their checkpoints tell how far the index was, not the views that are here. They are filled
    from the first event on. Raises ``StoreUnavailable``.
    """
    for projection in projections:
        for standing in await builds.standings(projection.name):
            number = _number_of(standing.build)
            if await checkpoints.load(number) is not None:
                await read_models.of(projection, standing.build).clear()
                await checkpoints.forget(number)  # last: cut off before, it is done again


def _number_of(build: Build) -> str:
    """The name under which the number of the index is noted among the checkpoints."""
    return f"{build.table}.index"
