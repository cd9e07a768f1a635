"""Every product ever sold, found by the words of its descriptions and by its code. Key: the SKU.

Ranked by the units that were sold and kept: returned and cancelled ones do not count.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date

from application.messages import RecordedEvent
from application.projections.projection import Parts, Projection, View
from application.shop.aggregates import ORDER
from application.shop.read_models.sold_order import (
    SoldLine,
    SoldOrder,
    by_currency,
    evolve_sold,
    worth,
)
from domain.shop_values import Sku
from domain.values import Money


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


def _keys(recorded: RecordedEvent) -> Collection[str]:
    return (recorded.stream_id,)


def _views(order: SoldOrder) -> Collection[str]:
    return order.by_sku


def _gather(
    sku: str, product: Product | None, before: SoldOrder | None, after: SoldOrder | None
) -> Product | None:
    if before and after and _as_sold(sku, before) == _as_sold(sku, after):
        return product  # it was about another line
    if before is not None and product is not None:
        product = _added(product, before, -1)
    if after is None:
        return product
    product = _added(product or _new(sku, after), after, +1)
    return product if before else _described(product, after)


def _as_sold(sku: str, order: SoldOrder) -> object:
    return order.cancelled, order.by_sku[sku]


def _new(sku: str, order: SoldOrder) -> Product:
    return Product(sku=sku, first_sold=order.day, last_sold=order.day)


def _added(product: Product, order: SoldOrder, times: int) -> Product:
    counted = 0 if order.cancelled else times
    lines = order.by_sku[product.sku]
    sold = sum(line.quantity for line in lines)
    returned = sum(line.returned for line in lines)
    kept = worth(
        ((line.unit_price, line.quantity - line.returned) for line in lines), order.currency
    )
    return product.model_copy(
        update={
            "orders": product.orders + counted,
            "units_sold": product.units_sold + counted * sold,
            "units_returned": product.units_returned + counted * returned,
            "units_kept": product.units_kept + counted * (sold - returned),
            "revenue": by_currency((*product.revenue, kept * counted)),
        }
    )


def _described(product: Product, order: SoldOrder) -> Product:
    """With what this order, which is new, calls it."""
    said = _descriptions(order.by_sku[product.sku])
    late = order.day >= product.last_sold
    both = (*said, *product.descriptions) if late else (*product.descriptions, *said)
    return product.model_copy(
        update={
            "descriptions": tuple(dict.fromkeys(both)),
            "first_sold": min(product.first_sold, order.day),
            "last_sold": max(product.last_sold, order.day),
        }
    )


def _descriptions(lines: Iterable[SoldLine]) -> Iterable[str]:
    return [line.description for line in lines if line.description]


product_search = Projection(
    name="product_search",
    version=2,  # words without accents
    view=Product,
    follows=(ORDER,),
    parts=Parts(part=SoldOrder, keys=_keys, evolve=evolve_sold, views=_views, gather=_gather),
    searched=("sku", "descriptions"),
    ranked="units_kept",
    listed=False,
)
product_search_1 = replace(product_search, version=1)
"""Answers where version 2 has not been deployed yet; what it held before is found with accents."""
