"""The best products of a time: added up from its orders, as the read model of all time has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import pytest

from application.command_dispatch import CommandDispatch
from application.ports import Total
from application.projections.projection import Projection
from application.shop import queries
from application.shop.best_products import MOST_ORDERS, best_products
from application.shop.importing import import_history
from application.shop.listing import EVERY_ORDER, WantedOrders
from application.shop.read_models.order_summary import order_summary
from application.shop.read_models.orders_by_date import orders_by_date
from application.shop.read_models.product_search import Product, product_search
from application.shop.service import SHOP
from application.time_range import time_range
from infrastructure import memory
from infrastructure.shop.online_retail import SAMPLE, History
from tests.projection_specification import START
from tests.shop.sales_figures import fill

MODELS: Final[Sequence[Projection[Any]]] = (orders_by_date, order_summary, product_search)


@dataclass
class Sample:
    models: memory.ReadModels

    async def best(
        self,
        wanted: WantedOrders = EVERY_ORDER,
        after: str | None = None,
        limit: int = 500,
        most: int = MOST_ORDERS,
    ) -> tuple[list[Product], str | None, Total | None]:
        listed = await self.models.live(orders_by_date)
        orders = await self.models.live(order_summary)
        page = await best_products(listed, orders, wanted, after=after, limit=limit, most=most)
        return list(page.items), page.after, page.total


@pytest.fixture
async def sample() -> Sample:
    """The bundled history, in the three read models."""
    store, builds = memory.EventStore(SHOP.catalogue), memory.Builds()
    models = memory.ReadModels(MODELS, builds)
    await builds.register(MODELS)
    await import_history(History(SAMPLE), CommandDispatch(store, SHOP.catalogue))
    for projection in MODELS:
        await fill(projection, models, memory.Subscriptions(store))
    return Sample(models)


def figures(one: Product) -> tuple[object, ...]:
    money = {of.currency: of.amount for of in one.revenue if of.amount}
    return one.sku, one.orders, one.units_sold, one.units_kept, money, one.first_sold


async def test_of_every_order_they_are_those_of_all_time(sample: Sample) -> None:
    """To the last penny, in the same order: but for products of cancelled orders alone."""
    found, after, total = await sample.best()
    ranked = await queries.products(await sample.models.live(product_search), limit=500)

    expected = [figures(one) for one in ranked.items if one.units_sold]
    assert [figures(one) for one in found][: len(expected) - 20] == expected[:-20]
    assert total is not None
    assert total.number >= len(found) == 500
    assert after is not None


async def test_of_a_month_only_its_orders_count(sample: Sample) -> None:
    """And those of one country; page by page, each product once."""
    november = time_range("2011-11-01", "2011-11-30", START)
    wanted = WantedOrders(placed=november, country="France")
    whole, last, total = await sample.best(wanted)
    first, after, _ = await sample.best(wanted, limit=3)
    second, *_ = await sample.best(wanted, after, limit=500)

    assert whole
    assert (last, total) == (None, Total(len(whole)))
    assert [one.sku for one in first + second] == [one.sku for one in whole]
    assert all(one.first_sold.month == 11 for one in whole)
    units = [one.units_kept for one in whole]
    assert units == sorted(units, reverse=True)
    assert sum((of.amount for one in whole for of in one.revenue), Decimal(0)) > 0


async def test_a_time_with_too_many_orders_is_refused(sample: Sample) -> None:
    """It says what would be right, and nothing is cut off silently."""
    with pytest.raises(ValueError, match="more than 100 orders: choose a shorter one"):
        await sample.best(most=100)
    with pytest.raises(ValueError, match="use the one that the page before ends with"):
        await sample.best(WantedOrders(country="France"), after="x")
