"""The queries of the shop, as functions over read models. None reads a stream but ``history``."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from application.messages import RecordedEvent
from application.paging import LAST, Page, page, page_below, require_limit, view
from application.ports import EventStore, Finding, Lookup, Searching, Summing, Total
from application.shop.aggregates import ORDER
from application.shop.read_models.customer_orders import (
    CUSTOMERS,
    Customer,
    CustomerDocument,
    CustomersOrder,
    orders_of,
)
from application.shop.read_models.daily_sales import DailySales
from application.shop.read_models.exchanges import ExchangeSummary
from application.shop.read_models.order_summary import OrderSummary
from application.shop.read_models.product_search import Product
from application.shop.read_models.stock_levels import StockLevel
from application.time_range import EVER, TimeRange
from domain.exchanges import ExchangeStatus
from domain.orders import OrderStatus
from domain.shop_values import CustomerId, ExchangeId, OrderId, Sku
from domain.values import Money

_PLACE: Final = re.compile(r"(-?[0-9]{1,30})~(.*)", re.DOTALL)


async def order(views: Lookup[OrderSummary], order_id: OrderId) -> OrderSummary | None:
    """The order with its lines, if the read model has it."""
    return await view(views, order_id)


async def orders(
    views: Finding[OrderSummary],
    *,
    customer_id: CustomerId | None = None,
    status: OrderStatus | None = None,
    after: OrderId | None = None,
    limit: int = 50,
    counted: bool = False,
) -> Page[OrderSummary]:
    """Orders by id, without their lines. ``limit`` is 1 to 500, else ``ValueError``."""
    wanted = {"customer_id": customer_id, "status": status}
    return await page(views, wanted, after=after, limit=limit, counted=counted)


async def exchange(views: Lookup[ExchangeSummary], id: ExchangeId) -> ExchangeSummary | None:
    """The exchange with its goods, if the read model has it."""
    return await view(views, id)


async def exchanges(
    views: Finding[ExchangeSummary],
    *,
    order_id: OrderId | None = None,
    status: ExchangeStatus | None = None,
    requested: TimeRange = EVER,
    after: ExchangeId | None = None,
    limit: int = 50,
    counted: bool = False,
) -> Page[ExchangeSummary]:
    """Exchanges, the newest request first, without their goods; ``limit`` as for orders."""
    return await page(
        views,
        {"order_id": order_id, "status": status},
        by="requested_at",
        since=requested.first_text,
        until=requested.last_text,
        after=after,
        descending=True,
        limit=limit,
        counted=counted,
    )


async def sales(
    views: Finding[DailySales],
    *,
    first: date | None = None,
    last: date | None = None,
    country: str | None = None,
    after: str | None = None,
    newest_first: bool = False,
    limit: int = 50,
    counted: bool = False,
) -> Page[DailySales]:
    """Sales of the days from ``first`` to ``last``, both included, day by day.

    ``ValueError`` when ``first`` is later than ``last``; ``limit`` as for orders.
    """
    if first and last and first > last:
        raise ValueError(f"the first day is {first}, so the last cannot be {last}")
    return await page(
        views,
        {"country": country},
        since=None if first is None else str(first),
        until=None if last is None else f"{last}/{LAST}",  # behind all keys of that day
        after=after,
        descending=newest_first,
        limit=limit,
        counted=counted,
    )


async def customers(
    views: Finding[CustomerDocument],
    *,
    after: CustomerId | None = None,
    limit: int = 50,
    counted: bool = False,
) -> Page[Customer]:
    """Customers by id; ``limit`` as for orders."""
    found = await page_below(views, CUSTOMERS, after=after, limit=limit, counted=counted)
    customers = [one.customer for one in found.items if one.customer]
    return Page(customers, found.after, found.total)


async def customer(views: Lookup[CustomerDocument], customer_id: CustomerId) -> Customer | None:
    """What all orders of the customer come to, if one has ever been placed."""
    found = await view(views, CUSTOMERS + customer_id)
    return found.customer if found else None


async def customers_orders(
    views: Finding[CustomerDocument],
    customer_id: CustomerId,
    *,
    after: str | None = None,
    newest_first: bool = False,
    limit: int = 50,
    counted: bool = False,
) -> Page[CustomersOrder] | None:
    """The orders of the customer in the order of time; ``None`` if none has ever been placed.

    ``limit`` as for orders.
    """
    found = await page_below(
        views,
        orders_of(customer_id),
        after=after,
        descending=newest_first,
        limit=limit,
        counted=counted,
    )
    if not found.items and after is None:
        return None
    return Page([one.order for one in found.items if one.order], found.after, found.total)


async def products(
    views: Searching[Product], words: str = "", *, after: str | None = None, limit: int = 50
) -> Page[Product]:
    """Products with words that begin with each of these, in description or SKU; best sold first.

    ``ValueError`` for an ``after`` that is not from a page; ``limit`` as for orders.
    """
    require_limit(limit)
    found = await views.search(words, after=place_of_product(after), limit=limit + 1)
    items = [seen.view for _, seen in found[:limit]]
    more = len(found) > limit
    last = f"{items[-1].units_kept}~{items[-1].sku}" if more else None
    return Page(items, last, Total.shown(len(items), whole=not more and after is None, more=more))


async def product(views: Lookup[Product], sku: Sku) -> Product | None:
    """The product, if it has ever been ordered."""
    return await view(views, sku)


@dataclass(frozen=True)
class OrderTotals:
    """All orders in one currency, together."""

    orders: int
    lines: int
    units: int
    total: Money
    returned: Money


async def order_totals(views: Summing) -> Sequence[OrderTotals]:
    """The exact totals of all orders, for each currency in alphabetical order."""
    fields = ("line_count", "units", "total", "returned_total")
    sums = await views.sums(fields, by="currency")
    return [
        OrderTotals(
            orders=of.views,
            lines=int(of.fields["line_count"]),
            units=int(of.fields["units"]),
            total=Money(amount=of.fields["total"], currency=currency),
            returned=Money(amount=of.fields["returned_total"], currency=currency),
        )
        for currency, of in sorted(sums.items())
    ]


def order_history(store: EventStore, order_id: OrderId) -> AsyncIterator[RecordedEvent]:
    """The events of the order, oldest first, with their metadata; none if it does not exist."""
    return store.read(ORDER.stream(order_id))


async def stock_level(views: Lookup[StockLevel], sku: Sku) -> StockLevel | None:
    """The stock of the SKU, if the read model has it."""
    return await view(views, sku)


def place_of_product(after: str | None) -> tuple[Decimal, str] | None:
    """Rank and key, as ``Page.after`` has them: ``12~85123A``."""
    if after is None:
        return None
    place = _PLACE.fullmatch(after)
    if place is None:
        raise ValueError(f"after is {after[:80]!r}: use the one that the page before ends with")
    return Decimal(place[1]), place[2]
