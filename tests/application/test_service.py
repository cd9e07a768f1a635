"""A service is declared in one value, which refuses what contradicts itself."""

from dataclasses import replace
from typing import Any

import pytest

from application.category import Category
from application.event_filter import EventFilter
from application.reactions import Reaction
from application.service import InvalidService, Service
from application.shop.aggregates import ORDER, STOCK
from application.shop.read_models import order_summary, stock_levels
from application.shop.sagas.order_fulfilment import order_fulfilment
from domain.decider import Command, Decider, Event
from domain.orders import OrderPlaced
from domain.stock import StockReceived

NOTHING: Decider[Any, Any, Any] = Decider(None, lambda state, _: state, lambda *_: ())


def same(data: dict[str, Any]) -> dict[str, Any]:
    return data


def named(name: str, base: type[Any]) -> type[Any]:
    """Another class of that name."""
    return type(name, (base,), {})


PLACED_AGAIN = Category("again", NOTHING, (), (named("OrderPlaced", Event),))
PLACES_AGAIN = Category("again", NOTHING, (named("PlaceOrder", Command),), ())
REACTION: Reaction[Any] = Reaction("order_fulfilment", ORDER.own, lambda tools: tools.outside)
NEWER = replace(order_fulfilment, version=3)


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ({"categories": (ORDER, ORDER)}, "two categories are called order"),
        ({"categories": (ORDER, PLACED_AGAIN)}, "two events are called OrderPlaced"),
        ({"categories": (ORDER, PLACES_AGAIN)}, "two commands are called PlaceOrder"),
        ({"projections": (order_summary, order_summary)}, "read model: .*order_summary"),
        ({"projections": (stock_levels,)}, "stock_levels reads .*StockReceived in stock"),
        ({"reactions": (replace(REACTION, events=STOCK.own),)}, "StockReceived in stock"),
        ({"sagas": (order_fulfilment,), "reactions": (REACTION,)}, "group: order_fulfilment"),
        ({"sagas": (order_fulfilment, order_fulfilment)}, "order_fulfilment, version 1"),
        ({"sagas": (order_fulfilment, NEWER)}, r"has the versions \[1, 3\]"),
        ({"upcasters": {OrderPlaced: {2: same}}}, "OrderPlaced lacks .* version 1"),
        ({"upcasters": {OrderPlaced: {1: same, 3: same}}}, "OrderPlaced lacks .* version 2"),
        ({"upcasters": {StockReceived: {1: same}}}, "StockReceived, which is in no category"),
    ],
)
def test_a_contradiction_is_refused_and_named(declared: dict[str, Any], why: str) -> None:
    """Doubles, what nothing declares, and gaps: each is named, with the service it is in."""
    with pytest.raises(InvalidService, match=f"shop: .*{why}"):
        Service(**{"name": "shop", "categories": (ORDER,), **declared})


def test_a_service_has_what_the_kit_keeps_for_it() -> None:
    """Its sagas, their moments, parking lots and snapshots are categories; sagas are shown."""
    service: Service[None] = Service("shop", (ORDER,), (order_summary,), (order_fulfilment,))

    kept = {category.name for category in service.catalogue.categories} - {"order"}
    assert kept == {"order_fulfilment", "deadlines", "parking", "snapshot"}
    assert [one.name for one in service.read_models] == ["order_summary", "sagas"]
    assert service.groups == ("order_fulfilment",)


@pytest.mark.parametrize("name", ["", "order-line"])
def test_a_category_has_a_name_that_streams_can_begin_with(name: str) -> None:
    """A name with a dash would never be found again."""
    with pytest.raises(ValueError, match="a category is the part of a stream before '-'"):
        Category(name, NOTHING, (), ())


def test_a_category_knows_its_events() -> None:
    """Asking for one that it does not have is a mistake, and no empty answer."""
    assert ORDER.only(OrderPlaced) == EventFilter.of("order", "OrderPlaced")
    with pytest.raises(ValueError, match="stock has no event OrderPlaced"):
        STOCK.only(OrderPlaced)
