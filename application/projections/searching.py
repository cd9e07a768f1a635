"""Read models in a search engine: written with the checkpoint after them, found by words.

The builds say which index answers queries. The name of the read model leads to that index, too, for
other programs that search; queries here do not depend on it.
"""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
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
    SearchEngine,
    SearchIndex,
    Seen,
    StoreUnavailable,
    V,
    Views,
    WrongRole,
    answering,
)
from application.projections.abilities import Ability, refuse, require_offered
from application.projections.builds import WHOLE, Build, BuildStanding, Shard
from application.projections.comparing import Comparison, Document, compared
from application.projections.filling_elsewhere import FilledElsewhere, number_of
from application.projections.projection import Projection
from application.projections.words import words as words_of

T = TypeVar("T")

_OWNER: Final = "search.owner"


class SearchReadModels:
    """The :class:`~application.ports.ReadModels` of a search engine. Raises ``NotOffered``."""

    offers: Final[Collection[Ability]] = (Ability.SEARCH,)

    def __init__(
        self,
        engine: SearchEngine,
        declared: Sequence[Projection[Any]],
        builds: Builds,
        checkpoints: Checkpoints,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``report`` gets why the name of a read model cannot lead to its live build."""
        require_offered(declared, self.offers, engine.name)
        self._engine, self._declared, self._report = engine, declared, report
        self._builds, self._checkpoints = builds, checkpoints
        self._shown: dict[str, Build] = {}

    async def live(self, projection: Projection[V]) -> Views[V]:
        declared, standing = await answering(self._builds, projection.name, self._declared)

        async def moved() -> SearchIndex[V]:
            declared, standing = await answering(self._builds, projection.name, self._declared)
            return self._engine.index(declared, standing.build)

        return SearchedViews(
            declared,
            self._engine.index(declared, standing.build),
            lambda: self._checkpoint(standing),
            self._engine.name,
            moved,
            lambda: self._show(standing.build),
        )

    def of(
        self, projection: Projection[V], build: Build, shard: Shard = WHOLE
    ) -> FilledElsewhere[V]:
        parts = self._engine.parts(projection, build) if projection.parts else None
        views = self._engine.index(projection, build)

        async def require_wanted() -> None:
            if not await self._is_there(build):
                raise WrongRole(f"{build.table} has been dropped")

        return FilledElsewhere(build, views, parts, self._checkpoints, shard, require_wanted)

    async def compare(self, live: Build, build: Build) -> Comparison:
        standings = await self._builds.standings(live.name)
        both = [of for of in standings if of.build in (live, build)]
        places = [-1 if of.position is None else of.position for of in both]
        place = min(places, default=-1)
        return await compared(self._engine.kept(live), self._engine.kept(build), place)

    async def documents(self, build: Build) -> AsyncIterator[tuple[str, Document]]:
        for parts in (False, True):
            async for key, _, document in self._engine.kept(build, parts=parts):
                if document is not None:
                    yield key, document

    async def discard(self, build: Build) -> None:
        if await self._is_there(build):
            raise WrongRole(f"{build.table} has not been dropped")
        await self._engine.remove(build)
        await self._checkpoints.forget(number_of(build))

    async def show(self) -> None:
        """Let the names of all read models lead to their live builds, for other programs.

        Raises ``NotOurs`` for a name that another service has, and ``StoreUnavailable``.
        """
        for name in sorted({of.name for of in self._declared}):
            with suppress(NotBuilt, IndexMissing):  # then there is nothing to show yet
                _, standing = await answering(self._builds, name, self._declared)
                await self._engine.show(standing.build)

    async def _is_there(self, build: Build) -> bool:
        return any(of.build == build for of in await self._builds.standings(build.name))

    async def _checkpoint(self, standing: BuildStanding) -> int | None:
        """How far all shards of the build are."""
        name = standing.build.table
        found = [await self._checkpoints.load(name, of.shard.index) for of in standing.shards]
        known = [position for position in found if position is not None]
        return min(known) if len(known) == len(found) else None

    async def _show(self, build: Build) -> None:
        """Let other programs find the build that is live now, unless that was tried before."""
        if self._shown.get(build.name) == build:
            return
        with suppress(StoreUnavailable):  # the next query tries again
            try:
                await self._engine.show(build)
            except NotOurs as error:
                self._report(str(error))
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
        answered: Callable[[], Awaitable[None]],
    ) -> None:
        """``moved`` returns what to read instead when that build has been dropped meanwhile;
        ``answered`` is called after each answer."""
        self._projection, self._index, self._engine = projection, index, engine
        self._checkpoint, self._moved, self._answered = checkpoint, moved, answered

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

    async def total(self, **_: Any) -> NoReturn:
        refuse(Ability.FIND, self._engine)

    async def sums(self, *_: Any, **__: Any) -> NoReturn:
        refuse(Ability.SUM, self._engine)

    async def _asked(self, question: Callable[[SearchIndex[V]], Awaitable[T]]) -> T:
        """What the index answers, or that of the build that is live instead of it."""
        try:
            answer = await question(self._index)
        except IndexMissing:
            self._index = await self._moved()
            answer = await self._answer_of_moved(question)
        await self._answered()
        return answer

    async def _answer_of_moved(self, question: Callable[[SearchIndex[V]], Awaitable[T]]) -> T:
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
