"""A read model for the contracts of views, and where it is kept: written and read through ports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from application.ports import (
    Changed,
    SearchEngine,  # only: search
    Seen,
    Views,
    WritableViews,
)
from application.projections.builds import Build  # only: dynamodb_views or search
from application.projections.projection import Parts, Projection, View
from application.projections.searching import SearchReadModels  # only: search
from domain.values import Money
from infrastructure import (
    dynamodb,  # only: dynamodb_views
    memory,
    postgres,  # only: postgres
)
from tests.contracts.dynamodb import DYNAMODB, dynamodb_of  # only: dynamodb_views
from tests.contracts.search_engines import ENGINES, engine_of  # only: search

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Basket(View):
    owner: str | None
    colour: str
    items: int
    worth: Money
    currency: str = "GBP"
    packed_at: datetime = NOON
    notes: tuple[str, ...] = ()


class Item(View):
    label: str


BASKETS = Projection(
    name="baskets",
    version=1,
    view=Basket,
    follows=(),
    parts=Parts(
        part=Item,
        keys=lambda _: (),
        evolve=lambda item, _: item,
        views=lambda _: (),
        gather=lambda _, basket, __: basket,
    ),
    indexed=("owner", "colour"),
    searched=("notes",),
    ranked="items",
    detail=("notes",),
    summed=("items", "worth"),
)
# only: search
SEARCHED = replace(BASKETS, indexed=(), listed=False, summed=())  # what a search engine can keep
# end: search
FOUND = replace(BASKETS, searched=(), ranked=None)  # what a store without words can keep

EVERYWHERE = [
    "memory",
    "memory (search index)",  # only: search
    "postgres (real)",  # only: postgres
    *(one for one in ENGINES if one != "memory"),  # only: search
]


@dataclass(frozen=True)
class Kept:
    """The baskets of one store."""

    writes: WritableViews[Basket]
    reads: Views[Basket]


@asynccontextmanager
async def kept_in(request: pytest.FixtureRequest) -> AsyncIterator[Kept]:
    """The store that the parameter of the fixture names."""
    match request.param:
        case "memory":
            views = memory.Views(BASKETS)
            yield Kept(views, views)
        # only: search
        case "memory (search index)":
            yield await _searched(memory.SearchEngine())
        case engine if engine in ENGINES:
            async with engine_of(request) as opened:
                yield await _searched(opened)
        # end: search
        # only: dynamodb_views
        case one if one == DYNAMODB:
            async with dynamodb_of(request) as database:
                yield await _found(database)
        # end: dynamodb_views
        # only: postgres
        case "postgres (real)":
            async with postgres.pool(request.getfixturevalue("postgres")) as pool:
                await postgres.migrate(pool)
                stored = postgres.Views(pool, BASKETS)
                await stored.prepare()
                yield Kept(stored, stored)
        # end: postgres


# only: dynamodb_views
async def _found(database: dynamodb.Database) -> Kept:
    """Baskets in DynamoDB, with builds and checkpoints there, too."""
    builds = dynamodb.Builds(database, dynamodb.StoreClock.of(database))
    await builds.register([FOUND])
    models = dynamodb.ReadModels(database, [FOUND], builds)
    writes = models.of(FOUND, Build(BASKETS.name, BASKETS.version))
    return Kept(writes, await models.live(FOUND))


# end: dynamodb_views
# only: search
async def _searched(engine: SearchEngine) -> Kept:
    """Baskets in a search engine, with builds and checkpoints in memory."""
    builds = memory.Builds()
    await builds.register([SEARCHED])
    models = SearchReadModels(engine, [SEARCHED], builds, builds.checkpoints)
    writes = models.of(SEARCHED, Build(BASKETS.name, BASKETS.version))
    await writes.prepare()
    return Kept(writes, await models.live(SEARCHED))


# end: search
def basket(
    owner: str | None = "ann",
    colour: str = "red",
    items: int = 1,
    worth: str = "1.50 GBP",
    **others: Any,
) -> Basket:
    money = Money.parse(worth)
    return Basket(
        owner=owner, colour=colour, items=items, worth=money, currency=money.currency, **others
    )


def seen(position: int, **baskets: Basket) -> Changed[Basket]:
    return {key: Seen(view, position) for key, view in baskets.items()}
