"""Every product ever sold, found by the words of its descriptions and by its code. Key: the SKU.

Ranked by the units that were sold and kept: returned and cancelled ones do not count. Of the
descriptions under which it was sold, the ``DESCRIPTIONS`` latest are kept and found; so a product
has a constant size, and grows only with the currencies it is paid in.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Final, cast

from pydantic import Field

from application.messages import RecordedEvent
from application.projections.projection import Change, Parts, Projection, View
from application.shop.aggregates import ORDER
from domain.orders import LinesReturned, OrderCancelled, OrderEvent, OrderPlaced
from domain.shop_values import Sku
from domain.values import Currency, Money

DESCRIPTIONS: Final = 8
"""How many descriptions of a product are kept."""


class Product(View):
    sku: Sku
    descriptions: tuple[str, ...] = ()  # under which it was sold, the latest first
    orders: int = 0  # cancelled ones not
    units_sold: int = 0
    units_returned: int = 0
    units_kept: int = 0
    revenue: tuple[Money, ...] = ()  # of the units that were kept, in each currency
    first_sold: date
    last_sold: date


class SoldLines(View):
    """What an order has of each product, line by line: a column each, which is read at once."""

    day: date  # in UTC
    currency: Currency
    cancelled: bool = False
    skus: tuple[str, ...]
    units: tuple[int, ...]
    prices: tuple[Decimal, ...]  # of a unit
    returned: tuple[int, ...]  # units
    descriptions: tuple[str | None, ...] = Field((), exclude=True)  # products have them by then

    @cached_property
    def by_sku(self) -> Mapping[str, Sequence[int]]:
        """The lines of each SKU."""
        found: dict[str, list[int]] = {}
        for line, sku in enumerate(self.skus):
            found.setdefault(sku, []).append(line)
        return found


def _keys(recorded: RecordedEvent) -> Collection[str]:
    return (recorded.stream_id,)


def _evolve(order: SoldLines | None, recorded: RecordedEvent) -> SoldLines:
    event = cast("OrderEvent", recorded.event)  # the filter lets nothing else through
    if isinstance(event, OrderPlaced):
        return _placed(event, recorded)
    if order is None:
        raise LookupError(f"{recorded.type} of order {recorded.stream_id}, which was never placed")
    if isinstance(event, OrderCancelled):
        return order.model_copy(update={"cancelled": True})
    if isinstance(event, LinesReturned):
        return order.model_copy(update={"returned": _returned(order, event)})
    return order  # nothing was sold, and nothing came back


def _placed(event: OrderPlaced, recorded: RecordedEvent) -> SoldLines:
    lines = event.lines
    return SoldLines(
        day=recorded.occurred_at.date(),
        currency=lines[0].unit_price.currency,
        skus=tuple([line.sku for line in lines]),
        units=tuple([line.quantity for line in lines]),
        prices=tuple([line.unit_price.amount for line in lines]),
        returned=(0,) * len(lines),
        descriptions=tuple([line.description for line in lines]),
    )


def _returned(order: SoldLines, event: LinesReturned) -> tuple[int, ...]:
    returned = list(order.returned)
    for line in event.lines:
        if line.line <= len(returned):
            returned[line.line - 1] += line.quantity
    return tuple(returned)


def _views(order: SoldLines) -> Collection[str]:
    return order.by_sku


def _gather(
    sku: str, product: Product | None, changes: Sequence[Change[SoldLines]]
) -> Product | None:
    figures = _Figures(product)
    for before, after in changes:
        if before and after and _as_sold(sku, before) == _as_sold(sku, after):
            continue  # it was about another line
        if before:
            figures.add(sku, before, -1)
        if after:
            figures.add(sku, after, +1)
        if after and not before:
            figures.describe(sku, after)
    return figures.product(sku) if figures.changed else product


def _as_sold(sku: str, order: SoldLines) -> object:
    return order.cancelled, [order.returned[line] for line in order.by_sku[sku]]


class _Figures:
    """What is known of a product, while the orders of a batch are added."""

    def __init__(self, product: Product | None) -> None:
        self.changed = False
        self._orders = product.orders if product else 0
        self._sold = product.units_sold if product else 0
        self._returned = product.units_returned if product else 0
        amounts = product.revenue if product else ()
        self._revenue = {money.currency: money.amount for money in amounts}
        self._descriptions = product.descriptions if product else ()
        self._first = product.first_sold if product else date.max
        self._last = product.last_sold if product else date.min

    def add(self, sku: str, order: SoldLines, times: int) -> None:
        """Add what that order has of the product, so many times."""
        self.changed = True
        kept = self._revenue.get(order.currency, Decimal(0))
        if not order.cancelled:
            self._orders += times
            for line in order.by_sku[sku]:
                sold, returned = order.units[line], order.returned[line]
                self._sold += sold * times
                self._returned += returned * times
                kept += order.prices[line] * ((sold - returned) * times)
        self._revenue[order.currency] = kept

    def describe(self, sku: str, order: SoldLines) -> None:
        """Add what that order, which is new, calls it."""
        known, day = self._descriptions, order.day
        said = tuple([text for line in order.by_sku[sku] if (text := order.descriptions[line])])
        if said != known[: len(said)]:  # else it is called as it was before
            both = said + known if day >= self._last else known + said
            self._descriptions = tuple(dict.fromkeys(both))[:DESCRIPTIONS]
        if not self._first <= day <= self._last:
            self._first, self._last = min(self._first, day), max(self._last, day)

    def product(self, sku: str) -> Product:
        """The view of all that was added."""
        return Product(
            sku=sku,
            descriptions=self._descriptions,
            orders=self._orders,
            units_sold=self._sold,
            units_returned=self._returned,
            units_kept=self._sold - self._returned,
            revenue=tuple(
                Money(amount=self._revenue[currency], currency=currency)
                for currency in sorted(self._revenue)
            ),
            first_sold=self._first,
            last_sold=self._last,
        )


product_search = Projection(
    name="product_search",
    version=3,  # descriptions are bounded
    view=Product,
    follows=(ORDER,),
    parts=Parts(part=SoldLines, keys=_keys, evolve=_evolve, views=_views, gather=_gather),
    searched=("sku", "descriptions"),
    ranked="units_kept",
    listed=False,
)
