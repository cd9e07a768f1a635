"""The shop's products in a search index: wired like any other store, and refused what it cannot."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from dependency_injector import providers

from application.projections.placing import PlacedReadModels
from application.projections.projection import Projection
from application.shop.read_models.daily_sales import daily_sales
from application.shop.read_models.product_search import product_search
from infrastructure import memory
from infrastructure.connecting import opened_to_serve
from infrastructure.container import Container
from infrastructure.settings import InvalidSettings
from infrastructure.sides import Given, ReadSide
from tests.shop.infrastructure.shop import LINE, empty_shop, shop_over


def search_side(given: Given) -> ReadSide:
    """All read models in a search index."""
    builds = memory.Builds()
    return ReadSide(
        memory.IndexedReadModels(given.projections, builds),
        builds,
        builds.checkpoints,
        memory.Leases(),
    )


def both_sides(given: Given) -> ReadSide:
    """The products in a search index, all other read models beside it."""
    builds = memory.Builds()
    others = [one for one in given.projections if one.name != product_search.name]
    index = memory.IndexedReadModels([product_search], builds)
    models = PlacedReadModels(memory.ReadModels(others, builds), {product_search.name: index})
    return ReadSide(models, builds, builds.checkpoints, memory.Leases())


def shop_with(
    side: Callable[[Given], ReadSide], declared: Sequence[Projection[Any]] | None = None
) -> Container:
    """A shop whose read models (unless some are given: all) are there."""
    container = empty_shop()
    if declared is not None:
        container.projections.override(providers.Object(declared))
    container.read_side.override(providers.Singleton(side, container.given))
    return container


async def test_a_read_model_that_its_store_cannot_keep_stops_the_start() -> None:
    """The sentence names the read model, the store, what it cannot do, and the way out."""
    with pytest.raises(InvalidSettings, match=r"daily_sales cannot be kept in a search index"):
        async with opened_to_serve(shop_with(search_side, [product_search, daily_sales])):
            pass


async def test_products_are_searched_in_one_store_and_orders_found_in_another() -> None:
    """Over HTTP: sold, found by words, best first, and looked up; the rest is where it was."""
    async with shop_over(shop_with(both_sides)) as shop:
        for quantity, what in ((2, "WHITE HEART"), (6, "RED HEART"), (4, "WHITE LANTERN")):
            line = {**LINE, "sku": what.replace(" ", "-"), "quantity": quantity}
            order = await shop.placed(lines=[{**line, "description": what}, {**line, "sku": "ALL"}])
        await shop.post(f"{order}/cancellation", {"reason": "no stock"})

        found = (await shop.get("/products?words=heart")).json()["products"]
        assert [product["sku"] for product in found] == ["RED-HEART", "WHITE-HEART"]
        both = (await shop.get("/products/ALL")).json()
        assert (both["orders"], both["units_sold"]) == (2, 8)
        orders = (await shop.get("/orders?status=cancelled")).json()["orders"]
        assert [f"/orders/{one['order_id']}" for one in orders] == [order]
