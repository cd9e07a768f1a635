"""What the four read models of sales add up to, and the file that they come from.

The file is added up by itself, without a line of the import: what it says has another reason to be
right than what the read models say.
"""

import asyncio
import csv
import gzip
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from application.claimed_once import ClaimedOnce
from application.ports import (
    Finding,
    PayloadStore,
    ReadModels,
    Searching,
    Subscriptions,
    Summing,
    V,
)
from application.projections.builds import Build
from application.projections.projection import Projection
from application.projections.runner import ProjectionRunner
from application.shop.read_models.customer_orders import customer_orders
from application.shop.read_models.daily_sales import daily_sales
from application.shop.read_models.order_summary import order_summary
from application.shop.read_models.product_search import Product, product_search
from domain.values import Money
from tests.waiting import until

Figures = Mapping[str, Decimal]
"""Of everything sold: ``orders``, ``lines``, ``units``, ``gross``, ``returned`` and the like."""

SALES: tuple[Projection[Any], ...] = (
    order_summary,
    daily_sales,
    customer_orders,
    product_search,
)
_PAGE = 1000


def first(projection: Projection[V]) -> Build:
    """The build that a read model starts with."""
    return Build(projection.name, projection.version)


async def fill(
    projection: Projection[V],
    models: ReadModels,
    subscriptions: Subscriptions,
    payloads: PayloadStore | None = None,
) -> None:
    """Run one projection until it has caught up."""
    views = models.of(projection, first(projection))
    await views.prepare()
    runner = ProjectionRunner(projection, subscriptions, views, ClaimedOnce(payloads))
    task = asyncio.create_task(runner.run())
    try:
        await until(lambda: runner.status().caught_up or task.done(), within=600)
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled(), task.exception()


def of_file(file: Path) -> Figures:
    """The invoices of an order history that are sales: all digits, and units above zero."""
    with gzip.open(file, "rt") as lines:
        sold = [
            (row["InvoiceNo"], int(row["Quantity"]), Decimal(row["UnitPrice"]))
            for row in csv.DictReader(lines)
            if row["InvoiceNo"].isdigit() and int(row["Quantity"]) > 0
        ]
    return {
        "orders": Decimal(len({invoice for invoice, _, _ in sold})),
        "lines": Decimal(len(sold)),
        "units": Decimal(sum(units for _, units, _ in sold)),
        "gross": sum((units * price for _, units, price in sold), Decimal(0)),
    }


@dataclass(frozen=True)
class Sales:
    """What each source says; what it does not know, it leaves out."""

    by_source: Mapping[str, Figures]
    guests: Figures  # their orders belong to no customer, and are counted in beside them

    def disagreements(self) -> Collection[str]:
        """The figures that are not the same wherever they are known."""
        said: dict[str, set[Decimal]] = {}
        for figures in self.by_source.values():
            for name, number in figures.items():
                said.setdefault(name, set()).add(number)
        return {name for name, numbers in said.items() if len(numbers) > 1}


async def add_up(file: Path, models: ReadModels) -> Sales:
    """All that is known of the sales in that file, once the read models have taken them in."""
    orders = await models.live(order_summary)
    guests = await _orders(orders, by="customer_id", value="")
    return Sales(
        {
            "the file itself": of_file(file),
            "order_summary": await _orders(orders, by="currency", value="GBP"),
            "daily_sales": await _days(models),
            "customer_orders + guests": _plus(await _customers(models), guests),
            "product_search": await _products(models),
        },
        guests,
    )


async def _orders(views: Summing, *, by: str, value: str) -> Figures:
    names = ("line_count", "units", "total", "returned_units", "returned_total")
    sums = (await views.sums(names, by=by))[value]
    lines, units, gross, returned_units, returned = (sums.fields[name] for name in names)
    return {
        "orders": Decimal(sums.views),
        "lines": lines,
        "units": units,
        "gross": gross,
        "returned units": returned_units,
        "returned": returned,
        "net": gross - returned,
    }


async def _days(models: ReadModels) -> Figures:
    names = ("orders", "units", "gross", "returned_units", "returned", "net")
    views = await models.live(daily_sales)
    sums = (await views.sums(names, by="currency"))["GBP"]
    return {name.replace("_", " "): sums.fields[name] for name in names}


async def _customers(models: ReadModels) -> Figures:
    documents = _all(await models.live(customer_orders))
    found = [one.customer async for one in documents if one.customer]
    gross = _amount(money for one in found for money in one.totals)
    returned = _amount(money for one in found for money in one.returned)
    return {
        "orders": Decimal(sum(one.order_count for one in found)),
        "units": Decimal(sum(one.units for one in found)),
        "gross": gross,
        "returned": returned,
        "net": gross - returned,
    }


async def _products(models: ReadModels) -> Figures:
    found = await _found(await models.live(product_search))
    return {
        "units": Decimal(sum(one.units_sold for one in found)),
        "returned units": Decimal(sum(one.units_returned for one in found)),
        "net": _amount(money for one in found for money in one.revenue),
    }


async def _all(views: Finding[V]) -> AsyncIterator[V]:
    """Every view, page by page."""
    page = await views.find(equal={}, limit=_PAGE)
    while page:
        for _, seen in page:
            yield seen.view
        page = await views.find(equal={}, after=page[-1][0], limit=_PAGE)


async def _found(views: Searching[Product]) -> Sequence[Product]:
    """Every product, page by page, as a search for nothing in particular finds them."""
    found: list[Product] = []
    after: tuple[Decimal, str] | None = None
    while page := await views.search("", after=after, limit=_PAGE):
        found += [seen.view for _, seen in page]
        after = Decimal(found[-1].units_kept), found[-1].sku
    return found


def _plus(customers: Figures, guests: Figures) -> Figures:
    return {name: number + guests[name] for name, number in customers.items()}


def _amount(money: Iterable[Money]) -> Decimal:
    return sum((one.amount for one in money), Decimal(0))
