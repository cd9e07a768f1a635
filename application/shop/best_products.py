"""The products that sold best in a time, or in one country: exact, from the orders placed then.

Of all time, the read model ``product_search`` has them ranked. A time has no read model of its own:
the lines of its orders are added up, of at most ``MOST_ORDERS`` of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from application.paging import Page, require_limit
from application.ports import Finding, Lookup, Total
from application.shop.listing import WantedOrders
from application.shop.queries import place_of_product
from application.shop.read_models.order_summary import OrderSummary
from application.shop.read_models.orders_by_date import ListedOrder
from application.shop.read_models.product_search import DESCRIPTIONS, Product
from domain.orders import OrderStatus
from domain.values import Money

MOST_ORDERS: Final = 5_000
_AT_ONCE: Final = 50  # orders that are loaded together: a service answers others in between


async def best_products(
    listed: Finding[ListedOrder],
    orders: Lookup[OrderSummary],
    wanted: WantedOrders,
    *,
    after: str | None = None,
    limit: int = 50,
    most: int = MOST_ORDERS,
) -> Page[Product]:
    """A page of products, those with the most units kept first; cancelled orders do not count.

    ``ValueError`` for more than ``most`` orders, an ``after`` that is not from a page, and a
    ``limit`` that is not 1 to 500.
    """
    require_limit(limit)
    place = place_of_product(after)
    found = await listed.find(
        equal=wanted.equal, after=wanted.begin, until=wanted.end, limit=most + 1
    )
    if len(found) > most:
        raise ValueError(f"that time has more than {most:,} orders: choose a shorter one")
    ids = [seen.view.order_id for _, seen in found]
    ranked = sorted(await _products(orders, ids), key=_rank)
    rest = [one for one in ranked if place is None or _rank(one) > (-place[0], place[1])]
    items, more = rest[:limit], len(rest) > limit
    last = f"{items[-1].units_kept}~{items[-1].sku}" if more else None
    return Page(items, last, Total(len(ranked)))


async def _products(orders: Lookup[OrderSummary], ids: Sequence[str]) -> Iterable[Product]:
    sold: dict[str, _Sold] = {}
    for start in range(0, len(ids), _AT_ONCE):
        loaded = await orders.load(ids[start : start + _AT_ONCE])
        for seen in loaded.values():
            if seen.view.status is not OrderStatus.CANCELLED:
                _add(sold, seen.view)
    return [one.product(sku) for sku, one in sold.items()]


def _rank(product: Product) -> tuple[Decimal, str]:
    return -Decimal(product.units_kept), product.sku


@dataclass
class _Sold:
    """What was sold of a product so far."""

    descriptions: dict[str, None] = field(default_factory=dict)
    orders: set[str] = field(default_factory=set)
    units: int = 0
    returned: int = 0
    revenue: dict[str, Decimal] = field(default_factory=dict)
    days: set[date] = field(default_factory=set)

    def product(self, sku: str) -> Product:
        amounts: Mapping[str, Decimal] = dict(sorted(self.revenue.items()))
        return Product(
            sku=sku,
            descriptions=tuple(self.descriptions)[:DESCRIPTIONS],
            orders=len(self.orders),
            units_sold=self.units,
            units_returned=self.returned,
            units_kept=self.units - self.returned,
            revenue=tuple(Money(amount=of, currency=code) for code, of in amounts.items()),
            first_sold=min(self.days),
            last_sold=max(self.days),
        )


def _add(sold: dict[str, _Sold], order: OrderSummary) -> None:
    for line in order.lines:
        one = sold.setdefault(line.sku, _Sold())
        if line.description:
            one.descriptions.setdefault(line.description)
        one.orders.add(order.order_id)
        one.units += line.quantity
        one.returned += line.returned
        kept = line.unit_price.amount * (line.quantity - line.returned)
        one.revenue[order.currency] = one.revenue.get(order.currency, Decimal(0)) + kept
        one.days.add(order.placed_at.date())
