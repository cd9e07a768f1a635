"""Builds that are filled in a search engine: what was lost there is filled again.

A search engine has no transaction with the database of the checkpoints, so an index may be lost, or
exchanged for another, while its checkpoint stays. Each index therefore has a number, which is also
noted beside the checkpoint. Where the two differ, the index is filled again from the first event.
"""

import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

from application.ports import (
    Builds,
    CheckpointMoved,
    Checkpoints,
    ReadModels,
    SearchIndex,
    V,
)
from application.projections.builds import WHOLE, Build, Shard
from application.projections.checkpoint_after import CheckpointAfter
from application.projections.projection import Projection

_NUMBERS: Final = 2**52  # so many that no index has that of another by chance


async def nothing() -> None:
    """Do nothing."""


class FilledElsewhere(CheckpointAfter[V]):
    """The views of one build in a search engine, written into the indexes of its checkpoint only.

    Another process may fill the indexes anew at any time. What this one still writes then goes
    nowhere, and its checkpoint does not count.
    """

    def __init__(
        self,
        build: Build,
        views: SearchIndex[V],
        parts: SearchIndex[Any] | None,
        checkpoints: Checkpoints,
        shard: Shard = WHOLE,
        require_wanted: Callable[[], Awaitable[None]] = nothing,
    ) -> None:
        """``require_wanted`` raises ``WrongRole`` once the build has been dropped."""
        super().__init__(build, views, parts, checkpoints, shard)
        self._require_wanted = require_wanted
        self._indexes: Sequence[SearchIndex[Any]] = [views, parts] if parts else [views]
        self._number, self._known = number_of(build), 0  # where it is noted, and which it was

    async def prepare(self) -> None:
        """Make the indexes, unless those that belong to the checkpoint are there."""
        known = await self._checkpoints.load(self._number)
        if known is None or {await index.filling() for index in self._indexes} != {known}:
            await self.clear()
        else:
            self._known = known

    async def checkpoint(self) -> int | None:
        """As the port. Prepares anew, since an index may have been removed in the meantime."""
        await self.prepare()
        return await super().checkpoint()

    async def require_current(self) -> None:
        if await self._checkpoints.load(self._number) != self._known:
            raise CheckpointMoved(f"{self._name} is being filled anew by another process")

    async def clear(self) -> None:
        """Begin both indexes with a new number. Cut off at any point, it is done again.

        Raises ``WrongRole`` for a build that has been dropped: its indexes would stay for ever.
        """
        await self._require_wanted()
        await self._checkpoints.forget(self._number)
        await self._checkpoints.forget(self._name)  # before the views: it is never beyond them
        number = random.randint(1, _NUMBERS)
        for index in self._indexes:
            await index.begin(number)
        await self._checkpoints.forget(self._name)  # that another writer may just have moved
        await self._checkpoints.advance(self._number, number, expected=None)
        self._known = number


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
            number = number_of(standing.build)
            if await checkpoints.load(number) is not None:
                await read_models.of(projection, standing.build).clear()
                await checkpoints.forget(number)  # last: cut off before, it is done again


async def remove_dropped(
    projections: Iterable[Projection[Any]],
    builds: Builds,
    read_models: ReadModels,
    checkpoints: Checkpoints,
) -> None:
    """Remove the indexes of builds that were dropped while the search engine was away.

    Raises ``StoreUnavailable``.
    """
    for projection in projections:
        there = {standing.build for standing in await builds.standings(projection.name)}
        for action in await builds.actions(projection.name):
            if action.action != "drop" or action.build in there:
                continue
            if await checkpoints.load(number_of(action.build)) is not None:
                await read_models.discard(action.build)


def number_of(build: Build) -> str:
    """The name under which the number of the index is noted among the checkpoints."""
    return f"{build.table}.index"
