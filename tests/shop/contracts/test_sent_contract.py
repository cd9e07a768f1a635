"""What the shop sends to other systems, beside what it says that it sends."""

import pytest

from domain import orders, payments, shipments, stock
from domain.orders import OrderLine, OrderPlaced
from domain.values import Money
from infrastructure.asyncapi import document
from infrastructure.shop.parcels_on_the_bus import delivered
from infrastructure.shop.program import PROGRAM
from tests.contracts.sent_contract_laws import *  # noqa: F403 - every law is a test of this suite
from tests.contracts.sent_contract_laws import Described, record_of, require_described
from tests.shop.event_samples import SAMPLES

LINE = OrderLine(sku="85123A", quantity=6, unit_price=Money.parse("2.55 GBP"))


@pytest.fixture
def described() -> Described:
    """One event of each type, and an order that is not imported."""
    pages = {"order": orders, "payment": payments, "shipment": shipments, "stock": stock}
    samples = {
        f"{category}-a-1": [one for one in SAMPLES if one.__module__ == page.__name__]
        for category, page in pages.items()
    }
    placed = OrderPlaced(customer_id="17850", lines=(LINE,))
    return Described(PROGRAM, {**samples, "order-a-2": [placed]})


async def test_the_simulated_carrier_sends_what_the_shop_says_it_receives(
    described: Described,
) -> None:
    """So a real carrier can be given the same document."""
    contract, own = document(PROGRAM), PROGRAM.service.contract
    log = await described.log()
    [handed] = [one for one in log.after(-1, 1_000) if one.type == "ShipmentHandedOver"]
    [outgoing] = own.outgoing(handed)

    report = delivered(record_of(outgoing))

    assert report is not None
    assert report.topic in contract["channels"]
    require_described(record_of(report), contract["components"]["messages"][report.event.type])
