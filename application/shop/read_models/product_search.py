"""Every product ever sold, found by the words of its descriptions and by its code. Key: the SKU.

Ranked by the units that were sold and kept: returned and cancelled ones do not count. Of the
descriptions under which it was sold, the ``DESCRIPTIONS`` latest are kept and found; so a product
has a constant size, and grows only with the currencies it is paid in.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Final, cast

from pydantic import BaseModel, ConfigDict, Field

from application.messages import RecordedEvent
from application.projections.projection import Parts, Projection, View
from application.shop.aggregates import ORDER
from application.shop.read_models.sold_order import by_currency, worth
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


class SoldLine(BaseModel):
    """A line of an order, and how many of its units came back."""

    model_config = ConfigDict(frozen=True)

    sku: str
    quantity: int
    price: Decimal  # of a unit
    returned: int = 0
    description: str | None = Field(None, exclude=True)  # the product has it by then


class SoldLines(View):
    """What an order has of each product."""

    day: date  # in UTC
    currency: Currency
    cancelled: bool = False
    lines: tuple[SoldLine, ...]

    @cached_property
    def by_sku(self) -> dict[str, tuple[SoldLine, ...]]:
        """The lines of each SKU."""
        found: dict[str, tuple[SoldLine, ...]] = {}
        for line in self.lines:
            found[line.sku] = (*found.get(line.sku, ()), line)
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
        return SoldLines(**{**_fields(order), "cancelled": True})
    if isinstance(event, LinesReturned):
        return SoldLines(**{**_fields(order), "lines": _returned(order, event)})
    return order  # nothing was sold, or came back for good


def _placed(event: OrderPlaced, recorded: RecordedEvent) -> SoldLines:
    lines = [
        SoldLine(
            sku=line.sku,
            quantity=line.quantity,
            price=line.unit_price.amount,
            description=line.description,
        )
        for line in event.lines
    ]
    currency = event.lines[0].unit_price.currency
    day = recorded.metadata.occurred_at.date()
    return SoldLines(day=day, currency=currency, lines=tuple(lines))


def _returned(order: SoldLines, event: LinesReturned) -> tuple[SoldLine, ...]:
    units: Counter[int] = Counter()
    for line in event.lines:
        units[line.line] += line.quantity
    return tuple(
        line.model_copy(update={"returned": line.returned + units[number]})
        for number, line in enumerate(order.lines, start=1)
    )


def _fields(order: SoldLines) -> dict[str, object]:
    """Without what was worked out of them, which a copy would take along."""
    return {name: getattr(order, name) for name in SoldLines.model_fields}


def _views(order: SoldLines) -> Collection[str]:
    return order.by_sku


def _gather(
    sku: str, product: Product | None, before: SoldLines | None, after: SoldLines | None
) -> Product | None:
    if before and after and _as_sold(sku, before) == _as_sold(sku, after):
        return product  # it was about another line
    if before is not None and product is not None:
        product = _added(product, before, -1)
    if after is None:
        return product
    product = _added(product or _new(sku, after), after, +1)
    return product if before else _described(product, after)


def _as_sold(sku: str, order: SoldLines) -> object:
    return order.cancelled, order.by_sku[sku]


def _new(sku: str, order: SoldLines) -> Product:
    return Product(sku=sku, first_sold=order.day, last_sold=order.day)


def _added(product: Product, order: SoldLines, times: int) -> Product:
    counted = 0 if order.cancelled else times
    lines = order.by_sku[product.sku]
    sold = sum(line.quantity for line in lines)
    returned = sum(line.returned for line in lines)
    kept = worth(((line.price, line.quantity - line.returned) for line in lines), order.currency)
    return product.model_copy(
        update={
            "orders": product.orders + counted,
            "units_sold": product.units_sold + counted * sold,
            "units_returned": product.units_returned + counted * returned,
            "units_kept": product.units_kept + counted * (sold - returned),
            "revenue": by_currency((*product.revenue, kept * counted)),
        }
    )


def _described(product: Product, order: SoldLines) -> Product:
    """With what this order, which is new, calls it."""
    said = _descriptions(order.by_sku[product.sku])
    late = order.day >= product.last_sold
    both = (*said, *product.descriptions) if late else (*product.descriptions, *said)
    return product.model_copy(
        update={
            "descriptions": tuple(dict.fromkeys(both))[:DESCRIPTIONS],
            "first_sold": min(product.first_sold, order.day),
            "last_sold": max(product.last_sold, order.day),
        }
    )


def _descriptions(lines: Iterable[SoldLine]) -> Sequence[str]:
    return [line.description for line in lines if line.description]


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
