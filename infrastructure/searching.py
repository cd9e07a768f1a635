"""Read models that are searched, in a search engine beside the store of all others."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any, Final

import structlog

from application.ports import Builds, Checkpoints
from application.projections.abilities import Ability, needs
from application.projections.filling_elsewhere import number_of
from application.projections.placing import PlacedReadModels
from application.projections.projection import Projection
from application.projections.searching import SearchReadModels, owner_of
from infrastructure.settings import InvalidSettings, Settings
from infrastructure.sides import Apart, ReadSide, SearchSide

log = structlog.stdlib.get_logger(__name__)

_NAMES: Final = "search names"  # by which other programs find the live builds

Opens = Callable[[int], AbstractAsyncContextManager[SearchSide]]
"""Opens a search engine for the service of that number."""


def apart(projections: Sequence[Projection[Any]], search: str) -> Sequence[Projection[Any]]:
    """The read models that are kept where searches go, unless that is the database."""
    if search == "database":
        return []
    return [one for one in projections if Ability.SEARCH in needs(one)]


def names(apart: Sequence[Projection[Any]]) -> frozenset[str]:
    return frozenset(one.name for one in apart)


def beside(
    projections: Sequence[Projection[Any]], apart: Sequence[Projection[Any]]
) -> Sequence[Projection[Any]]:
    """All other read models."""
    elsewhere = names(apart)
    return [one for one in projections if one.name not in elsewhere]


async def require_placed(
    projections: Sequence[Projection[Any]],
    builds: Builds,
    checkpoints: Checkpoints,
    settings: Settings,
) -> None:
    """Raises :class:`InvalidSettings` for a read model that is not where the settings say.

    For a command that changes nothing about that: starting a service moves it.
    """
    if settings.search != "database":
        return
    for one in projections:
        for standing in await builds.standings(one.name) if Ability.SEARCH in needs(one) else ():
            if await checkpoints.load(number_of(standing.build)) is not None:
                raise InvalidSettings(
                    f"{settings.name_of('search')}: {standing.build.table} is kept in a search "
                    "engine: set what is set for the service"
                )


@asynccontextmanager
async def read_side(
    others: AbstractAsyncContextManager[ReadSide], apart: Sequence[Projection[Any]], opens: Opens
) -> AsyncIterator[ReadSide]:
    """The side of all others; where some are kept apart, with a search engine for them.

    Raises ``NotOffered``, ``InvalidSettings``, ``StoreUnavailable``.
    """
    async with others as side:
        if not apart:
            yield side
            return
        async with opens(await owner_of(side.checkpoints)) as search:
            models = SearchReadModels(
                search.engine, apart, side.builds, side.checkpoints, log.warning
            )
            placed = PlacedReadModels(side.read_models, {one.name: models for one in apart})
            checks = {"search server": search.check, _NAMES: models.show}
            kept = Apart(names(apart), checks, models.show)
            yield replace(side, read_models=placed, apart=kept)
