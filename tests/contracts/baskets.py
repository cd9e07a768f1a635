"""A read model for the contracts of views, and where it is kept: written and read through ports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from application.ports import Changed, SearchEngine, Seen, Views, WritableViews
from application.projections.builds import Build
from application.projections.projection import Parts, Projection, View
from application.projections.searching import SearchReadModels
from domain.values import Money
from infrastructure import memory, opensearch, postgres

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
SEARCHED = replace(BASKETS, indexed=(), listed=False, summed=())  # what a search engine can keep

OPENSEARCH = "opensearch (real)"
EVERYWHERE = ["memory", "memory (search index)", "postgres (real)", OPENSEARCH]


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
        case "memory (search index)":
            yield await _searched(memory.SearchEngine())
        case "opensearch (real)":
            async with on_opensearch(request) as engine:
                yield await _searched(engine)
        case _:
            async with postgres.pool(request.getfixturevalue("postgres")) as pool:
                await postgres.migrate(pool)
                stored = postgres.Views(pool, BASKETS)
                await stored.prepare()
                yield Kept(stored, stored)


async def _searched(engine: SearchEngine) -> Kept:
    """Baskets in a search engine, with builds and checkpoints in memory."""
    builds = memory.Builds()
    await builds.register([SEARCHED])
    models = SearchReadModels(engine, [SEARCHED], builds, builds.checkpoints)
    writes = models.of(SEARCHED, Build(BASKETS.name, BASKETS.version))
    await writes.prepare()
    return Kept(writes, await models.live(SEARCHED))


@asynccontextmanager
async def on_opensearch(request: pytest.FixtureRequest) -> AsyncIterator[opensearch.SearchEngine]:
    """On the server of all tests, with names of its own, which are removed in the end."""
    uri, prefix = request.getfixturevalue("opensearch"), f"test-{uuid4().hex}"
    async with opensearch.server(uri) as server:
        try:
            yield opensearch.SearchEngine(server, prefix, owner=7)
        finally:
            await server.ask(
                lambda client: client.indices.delete(
                    index=f"{prefix}-*", params={"expand_wildcards": "all"}
                )
            )


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
