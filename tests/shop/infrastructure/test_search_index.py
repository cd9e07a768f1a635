"""The shop's products in a search index: wired like any other store, and refused what it cannot."""

from collections.abc import Sequence
from typing import Any

import pytest
from dependency_injector import providers

from application.projections.projection import Projection
from application.shop.read_models.daily_sales import daily_sales
from application.shop.read_models.product_search import product_search
from infrastructure import memory
from infrastructure.container import Container, opened_to_serve
from infrastructure.settings import InvalidSettings
from infrastructure.sides import Given, ReadSide
from tests.shop.infrastructure.shop import LINE, empty_shop, shop_over


def search_side(given: Given) -> ReadSide:
    builds = memory.Builds()
    return ReadSide(memory.SearchIndex(given.projections, builds), builds)


def searching_shop(declared: Sequence[Projection[Any]]) -> Container:
    """A shop with these read models only, in a search index."""
    container = empty_shop()
    container.projections.override(providers.Object(declared))
    container.read_side.override(providers.Singleton(search_side, container.given))
    return container


async def test_a_read_model_that_its_store_cannot_keep_stops_the_start() -> None:
    """The sentence names the read model, the store, what it cannot do, and the way out."""
    with pytest.raises(InvalidSettings, match=r"daily_sales cannot be kept in a search index"):
        async with opened_to_serve(searching_shop([product_search, daily_sales])):
            pass


async def test_products_are_searched_where_nothing_else_can_be_done() -> None:
    """Over HTTP: sold, found by words, best first, and looked up; returns are counted once."""
    async with shop_over(searching_shop([product_search])) as shop:
        for quantity, what in ((2, "WHITE HEART"), (6, "RED HEART"), (4, "WHITE LANTERN")):
            line = {**LINE, "sku": what.replace(" ", "-"), "quantity": quantity}
            order = await shop.placed(lines=[{**line, "description": what}, {**line, "sku": "ALL"}])
        await shop.post(f"{order}/cancellation", {"reason": "no stock"})

        found = (await shop.get("/products?words=heart")).json()["products"]
        assert [product["sku"] for product in found] == ["RED-HEART", "WHITE-HEART"]
        both = (await shop.get("/products/ALL")).json()
        assert (both["orders"], both["units_sold"]) == (2, 8)
