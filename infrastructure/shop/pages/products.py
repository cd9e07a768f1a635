"""The best products on the page of sales: of all time ranked, of a time added up on request."""

from collections.abc import Iterable, Sequence
from typing import Final

from application.paging import Page
from application.ports import Total
from application.shop import queries
from application.shop.best_products import best_products
from application.shop.listing import EVERY_ORDER, WantedOrders
from application.shop.read_models.order_summary import order_summary
from application.shop.read_models.orders_by_date import orders_by_date
from application.shop.read_models.product_search import Product, product_search
from infrastructure.http.problems import BadQuestion
from infrastructure.http.served import Served

MOST_AT_ONCE: Final = 200
"""Orders that are added up whenever the page is loaded: in less than 100 ms of a processor."""


async def orders_of(service: Served, wanted: WantedOrders) -> Total:
    """How many have to be added up for them: none where they are ranked."""
    if wanted == EVERY_ORDER:
        return Total(0)
    listed = await service.consistency.fresh(orders_by_date, None)
    return await listed.total(equal=wanted.equal, since=wanted.begin, until=wanted.end)


async def products_of(service: Served, wanted: WantedOrders, limit: int) -> Page[Product]:
    """The best ones: of all time by their rank, else added up. Raises :class:`BadQuestion`."""
    fresh = service.consistency.fresh
    if wanted == EVERY_ORDER:
        return await queries.products(await fresh(product_search, None), limit=limit)
    listed, orders = await fresh(orders_by_date, None), await fresh(order_summary, None)
    try:
        return await best_products(listed, orders, wanted, limit=limit)
    except ValueError as error:
        raise BadQuestion(str(error)) from error


def product_rows(products: Iterable[Product]) -> Iterable[Sequence[object]]:
    """A header, and a line for each product and currency."""
    yield ("sku", "description", "orders", "units_kept", "revenue", "currency", "last_sold")
    for one in products:
        said = one.descriptions[0] if one.descriptions else ""
        for of in one.revenue:
            figures = (one.orders, one.units_kept, of.amount, of.currency, one.last_sold)
            yield (one.sku, said, *figures)
