"""What the shop publishes of its events, and what it keeps to itself."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from application.shop.service import SHOP
from domain.decider import Event
from domain.orders import OrderCancelled, OrderLine, OrderPlaced
from domain.payments import PaymentCaptured
from domain.stock import StockAdjusted, StockDispatched, StockReleased, StockReserved
from domain.values import Money
from tests.projection_specification import recorded
from tests.shop.event_samples import SAMPLES

LINE: Final = OrderLine(
    sku="85123A", description="A HEART", quantity=6, unit_price=Money.parse("2.55 GBP")
)
PLACED: Final = OrderPlaced(customer_id="17850", country="France", lines=(LINE,))


def published(stream: str, event: Event) -> tuple[str, Mapping[str, Any]] | None:
    """Type and data of what the shop publishes of this event."""
    outgoing = SHOP.contract.outgoing(recorded(SHOP.catalogue, [(stream, event)])[0])
    for one in outgoing:
        return one.event.type, json.loads(one.event.data)
    return None


def test_an_order_is_published_without_its_customer_and_its_prices() -> None:
    """A partner that prepares goods needs what and how many, and where to."""
    assert published("order-o-1", PLACED) == (
        "headwater.order.placed.v1",
        {"order_id": "o-1", "country": "France", "lines": [{"sku": "85123A", "quantity": 6}]},
    )


def test_an_imported_order_is_no_news() -> None:
    """It was fulfilled elsewhere, years ago."""
    assert published("order-o-1", PLACED.model_copy(update={"from_history": True})) is None


def test_a_free_text_is_not_published() -> None:
    """It may hold the name of a customer."""
    event = OrderCancelled(reason="Mrs Smith changed her mind")
    assert published("order-o-1", event) == (
        "headwater.order.cancelled.v1",
        {"order_id": "o-1"},
    )


def test_money_is_published_as_text() -> None:
    """A float would not be exact."""
    event = PaymentCaptured(amount=Money.parse("15.30 GBP"))
    assert published("payment-p-1", event) == (
        "headwater.payment.captured.v1",
        {"payment_id": "p-1", "amount": "15.30 GBP"},
    )


@pytest.mark.parametrize(
    ("event", "difference"),
    [
        (StockReserved(order_id="o-1", quantity=6), -6),
        (StockReleased(order_id="o-1", quantity=6), 6),
        (StockAdjusted(adjustment_id="a-1", difference=-2, reason="counted"), -2),
    ],
)
def test_stock_is_published_as_what_can_be_ordered(event: Event, difference: int) -> None:
    """Reserving, releasing and counting change it."""
    assert published("stock-BANK CHARGES", event) == (
        "headwater.stock.availability_changed.v1",
        {"sku": "BANK CHARGES", "difference": difference},
    )


def test_dispatching_changes_nothing_that_can_be_ordered() -> None:
    """What is dispatched was reserved before."""
    assert not SHOP.contract.events.admits("stock-a", StockDispatched.__name__)


def kinds() -> Iterator[tuple[str, Event]]:
    """A stream and a sample for each domain event that has a translation."""
    for category, type in SHOP.contract.events.pairs:
        [sample] = [one for one in SAMPLES if one.__class__.__name__ == type]
        yield f"{category}-a-1", sample


@pytest.mark.parametrize(("stream", "event"), sorted(kinds(), key=str))
def test_each_translation_makes_what_is_declared(stream: str, event: Event) -> None:
    """Every sample can be translated, and its type is that of its category."""
    outgoing = SHOP.contract.outgoing(recorded(SHOP.catalogue, [(stream, event)])[0])

    assert bool(outgoing) != isinstance(event, OrderPlaced)  # the sample is an imported one
    for one in outgoing:
        assert one.event.type.startswith(f"headwater.{stream.partition('-')[0]}.")
