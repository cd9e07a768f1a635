"""No read model of the shop grows without bound: its views and parts have a constant size."""

from collections.abc import Iterator
from typing import Any

import pytest

from application.ports import Seen
from application.projections.folding import projected
from application.projections.projection import Projection
from application.shop.read_models import product_search as products
from application.shop.service import SHOP
from domain.decider import Event
from domain.exchanges import (
    ExchangeRequested,
    GoodsBack,
    GoodsReceived,
    Replacement,
)
from domain.orders import (
    LinesClaimed,
    LinesFreed,
    LinesReturned,
    OrderConfirmed,
    OrderLine,
    OrderPlaced,
    ReturnedLine,
)
from domain.payments import PaymentAuthorised, PaymentCaptured, PaymentRefunded
from domain.shipments import ShipmentBooked, ShipmentDelivered
from domain.stock import StockDispatched, StockReceived, StockReserved
from domain.values import Money
from infrastructure import memory
from tests.projection_specification import recorded_at

_PENNY = Money.parse("0.01 GBP")
_GROWN = 64
"""Bytes by which numbers and moments of one document may grow, as long as none is added."""


def histories(times: int) -> Iterator[tuple[int, str, Event]]:
    """One customer, one product, one day; one old order of which something comes back for ever."""
    lines = (OrderLine(sku="A", quantity=10**6, unit_price=_PENNY),)
    back = (ReturnedLine(line=1, quantity=1),)
    yield 0, "order-old", OrderPlaced(customer_id="c", country="France", lines=lines)
    goods = GoodsBack(line=1, sku="A", quantity=1, unit_price=_PENNY)
    new = Replacement(sku="A", quantity=1, unit_price=_PENNY)
    exchange = ExchangeRequested(order_id="old", back=(goods,), replacements=(new,))
    for number in range(100, 100 + times):
        id = f"o-{number}"
        line = OrderLine(sku="A", description=f"NAME {id}", quantity=1, unit_price=_PENNY)
        for stream, event in (
            (f"order-{id}", OrderPlaced(customer_id="c", country="France", lines=(line,))),
            (f"order-{id}", OrderConfirmed()),
            (f"payment-{id}", PaymentAuthorised(order_id=id, amount=_PENNY)),
            (f"payment-{id}", PaymentCaptured(amount=_PENNY)),
            (f"shipment-{id}", ShipmentBooked(order_id=id, carrier="post", country="France")),
            (f"shipment-{id}", ShipmentDelivered()),
            ("order-old", LinesReturned(return_id=f"r-{id}", lines=back)),
            ("order-old", LinesClaimed(exchange_id=f"e-{id}", lines=back)),
            ("order-old", LinesFreed(exchange_id=f"e-{id}")),
            ("payment-old", PaymentRefunded(refund_id=f"f-{id}", amount=_PENNY)),
            ("stock-A", StockReceived(receipt_id=f"s-{id}", quantity=1)),
            ("stock-A", StockReserved(order_id=id, quantity=1)),
            ("stock-A", StockDispatched(order_id=id, quantity=1)),
            (f"exchange-e-{id}", exchange),
            (f"exchange-e-{id}", GoodsReceived()),
        ):
            yield 0, stream, event


async def largest(projection: Projection[Any], times: int) -> int:
    """The bytes of the largest view or part that such a history makes."""
    views = memory.Views(projection)
    events = [
        event
        for event in recorded_at(SHOP.catalogue, histories(times))
        if event in projection.events
    ]
    changed, parts = await projected(projection, events, views)
    kept = [seen for seen in (*changed.values(), *parts.values()) if isinstance(seen, Seen)]
    return max(len(seen.view.model_dump_json()) for seen in kept)


@pytest.mark.parametrize("projection", SHOP.projections, ids=lambda one: one.name)
async def test_views_and_parts_have_a_bound(projection: Projection[Any]) -> None:
    """Eight times the orders, returns, payments and movements, and no larger document."""
    few, many = await largest(projection, 20), await largest(projection, 160)

    assert many <= few + _GROWN


async def test_a_product_keeps_its_latest_descriptions() -> None:
    """As many as it says, the latest first; it is not found by older ones any more."""
    views = memory.Views(products)
    lines = [
        OrderLine(sku="A", description=f"NAME{number}", quantity=1, unit_price=_PENNY)
        for number in range(20)
    ]
    placed = [
        (0, f"order-{number}", OrderPlaced(lines=(line,))) for number, line in enumerate(lines)
    ]
    changed, parts = await projected(products, recorded_at(SHOP.catalogue, placed), views)
    await views.save(changed, parts=parts, checkpoint=10_000, expected=None)

    ((_, found),) = await views.search("name19")
    assert found.view.descriptions == tuple(f"NAME{number}" for number in range(19, 11, -1))
    assert await views.search("name11") == []
