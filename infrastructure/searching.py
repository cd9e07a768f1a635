"""Read models that are searched, in a search engine beside the store of all others."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

from application.projections.abilities import Ability, needs
from application.projections.placing import PlacedReadModels
from application.projections.projection import Projection
from application.projections.searching import SearchReadModels, owner_of
from infrastructure.sides import Apart, ReadSide, SearchSide

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
    return [one for one in projections if one.name not in names(apart)]


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
            models = SearchReadModels(search.engine, apart, side.builds, side.checkpoints)
            placed = PlacedReadModels(side.read_models, {one.name: models for one in apart})
            kept = Apart(names(apart), {"search server": search.check})
            yield replace(side, read_models=placed, apart=kept)
