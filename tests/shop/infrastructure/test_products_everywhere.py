"""The shop's products in PostgreSQL and in OpenSearch (both real): the same answers."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from application.command_dispatch import CommandDispatch
from application.ports import Searching
from application.projections.searching import SearchReadModels
from application.projections.words import words
from application.shop.importing import import_history
from application.shop.read_models.product_search import Product, product_search
from application.shop.service import SHOP
from infrastructure import memory, postgres
from infrastructure.shop.online_retail import SAMPLE, History
from tests.contracts.search_engines import on_opensearch
from tests.shop.sales_figures import fill

QUESTIONS = [  # words, beginnings, case, accents, none, several, what is not there
    *("heart", "HEART", "héart", "white hang", "hang white", "hea-whi", "85", "t-light", "no such"),
    *("", "-- '", "re", "85123a", "ø", "12 pencil", "w w w"),
]


async def pages(views: Searching[Product], asked: str, limit: int) -> Sequence[Any]:
    """All that is found, page by page, each behind the last one of the page before."""
    found: list[Any] = []
    after: tuple[Decimal, str] | None = None
    while page := await views.search(asked, after=after, limit=limit):
        found += page
        key, last = page[-1]
        after = Decimal(last.view.units_kept), key
    return found


async def test_the_same_questions_have_the_same_answers(request: pytest.FixtureRequest) -> None:
    """Over the sample: the same products in the same order, with the same positions, whatever is
    asked, on pages of any size; and the same is loaded by key."""
    store = memory.EventStore(SHOP.catalogue)
    await import_history(History(SAMPLE), CommandDispatch(store, SHOP.catalogue))
    subscriptions = memory.Subscriptions(store)
    async with (
        postgres.pool(request.getfixturevalue("postgres")) as pool,
        on_opensearch(request) as engine,
    ):
        await postgres.migrate(pool)
        builds = postgres.Builds(pool)
        await builds.register([product_search])
        database = postgres.ReadModels(pool, [product_search], builds)
        kept = memory.Builds()
        await kept.register([product_search])
        elsewhere = SearchReadModels(engine, [product_search], kept, kept.checkpoints)
        for models in (database, elsewhere):
            await fill(product_search, models, subscriptions)
        one, other = await database.live(product_search), await elsewhere.live(product_search)

        everything = await pages(one, "", 500)
        assert len(everything) == 1_245
        described = {
            word for _, seen in everything for word in words(" ".join(seen.view.descriptions))
        }
        beginnings = sorted({word[:2] for word in described})
        for asked in [*QUESTIONS, *beginnings[::4]]:
            assert await pages(one, asked, 500) == await pages(other, asked, 500), asked
        assert await pages(other, "heart", 7) == await pages(one, "heart", 40)
        assert await pages(other, "", 400) == everything
        keys = [key for key, _ in everything[::10]]
        assert await one.load(keys) == await other.load(keys)
