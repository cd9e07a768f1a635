"""Which events are ours: those whose category and type are ours."""

from dataclasses import dataclass

import pytest

from application.event_filter import EventFilter
from application.shop.aggregates import ORDER
from application.shop.service import SHOP
from domain.orders import OrderPlaced


@dataclass(frozen=True)
class Event:
    stream: str
    type: str


def test_an_event_is_ours_by_category_and_type() -> None:
    """Neither is enough, and a category is all that comes before the first dash."""
    placed = ORDER.only(OrderPlaced)

    assert Event("order-1", "OrderPlaced") in placed
    assert Event("order-", "OrderPlaced") in placed
    assert Event("order-a-b", "OrderPlaced") in placed
    for stream in ("webshop-77", "orders-1", "order_x-1", "order", "-order", "", "$ce-order"):
        assert Event(stream, "OrderPlaced") not in placed
    assert Event("order-1", "orderplaced") not in SHOP.catalogue.own
    assert Event("order-1", "StockReceived") not in SHOP.catalogue.own, (
        "a type of ours, in another category"
    )


def test_filters_are_joined_and_narrowed() -> None:
    """Each type stays with its categories."""
    both = EventFilter.of("a", "X", "Y") | EventFilter.of("b", "Y")

    assert both.categories == {"a", "b"}
    assert both.types == {"X", "Y"}
    assert both.of_types(["X"]) == EventFilter.of("a", "X")
    assert both.in_categories(["b"]) == EventFilter.of("b", "Y")
    assert not both.admits("b-1", "X")


@pytest.mark.parametrize("category", ["", "order-1", "-"])
def test_a_filter_is_for_a_category_that_can_be_one(category: str) -> None:
    """A name with a dash would never be found."""
    with pytest.raises(ValueError, match="category"):
        EventFilter.of(category, "OrderPlaced")


def test_what_reads_events_here_reads_ours_alone() -> None:
    """Every read model and every reaction asks for categories of the table."""
    asked = [one.events for one in SHOP.read_models] + [one.events for one in SHOP.reactions]
    assert all(one.pairs <= SHOP.catalogue.own.pairs for one in asked)
