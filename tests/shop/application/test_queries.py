"""The questions: answered from the read models, in pages, with exact sums."""

from uuid import uuid4

import pytest

from application.command_dispatch import CommandDispatch
from application.messages import Context
from application.ports import Seen
from application.projections.folding import fold
from application.shop import queries
from application.shop.read_models.order_summary import OrderSummary, order_summary
from application.shop.read_models.stock_levels import StockLevel, stock_levels
from application.shop.service import SHOP
from domain.orders import (
    CancelOrder,
    OrderCancelled,
    OrderLine,
    OrderPlaced,
    OrderStatus,
    PlaceOrder,
)
from domain.values import Money
from infrastructure import memory
from tests.projection_specification import at, recorded

HEART = OrderLine(sku="85123A", quantity=6, unit_price=Money.parse("2.55 GBP"))
ROSE = OrderLine(sku="ROSE", quantity=1, unit_price=Money.parse("3 EUR"))


@pytest.fixture
async def views() -> memory.Views[OrderSummary]:
    """Seven orders: two customers and a guest, one order in euros, one cancelled."""
    views = memory.Views(order_summary)
    customers = ["ann", "bob", "ann", None, "ann", "ann", "bob"]
    history = [
        (f"order-o-{n}", OrderPlaced(customer_id=customer, lines=(HEART, HEART)))
        for n, customer in enumerate(customers[:-1])
    ]
    events = recorded(
        SHOP.catalogue,
        [
            *history,
            ("order-o-6", OrderPlaced(customer_id="bob", lines=(ROSE,))),
            ("order-o-2", OrderCancelled(reason="dear")),
        ],
    )
    await views.save(fold(order_summary, events, {}), checkpoint=900, expected=None)
    return views


async def test_one_order_comes_with_its_lines(views: memory.Views[OrderSummary]) -> None:
    """A known order is whole; an unknown one is None."""
    found = await queries.order(views, "o-0")

    assert found is not None
    assert [line.sku for line in found.lines] == ["85123A", "85123A"]
    assert await queries.order(views, "o-99") is None


async def test_orders_come_in_pages(views: memory.Views[OrderSummary]) -> None:
    """Page after page, every order once; the last page says that it is the last."""
    ids, after = list[str](), None
    for _ in range(3):
        page = await queries.orders(views, after=after, limit=3)
        ids += [order.order_id for order in page.items]
        after = page.after

    assert ids == [f"o-{n}" for n in range(7)]
    assert after is None


async def test_a_full_last_page_is_the_last(views: memory.Views[OrderSummary]) -> None:
    """When a page ends with the last order, nobody is sent to an empty page."""
    assert (await queries.orders(views, limit=7)).after is None


async def test_orders_are_found_by_customer_and_status(views: memory.Views[OrderSummary]) -> None:
    """Both filters together, and without lines."""
    page = await queries.orders(views, customer_id="ann", status=OrderStatus.PLACED)

    assert [order.order_id for order in page.items] == ["o-0", "o-4", "o-5"]
    assert {order.lines for order in page.items} == {()}
    cancelled = await queries.orders(views, status=OrderStatus.CANCELLED)
    assert [order.order_id for order in cancelled.items] == ["o-2"]


@pytest.mark.parametrize("limit", [0, 501])
async def test_a_page_has_a_size(views: memory.Views[OrderSummary], limit: int) -> None:
    """No page without end, and none without an order."""
    with pytest.raises(ValueError, match="it has to be 1 to 500"):
        await queries.orders(views, limit=limit)


async def test_totals_are_exact_and_by_currency(views: memory.Views[OrderSummary]) -> None:
    """Currencies are never added to one another."""
    assert await queries.order_totals(views) == [
        queries.OrderTotals(1, 1, 1, Money.parse("3 EUR"), Money.zero("EUR")),
        queries.OrderTotals(6, 12, 72, Money.parse("183.6 GBP"), Money.zero("GBP")),
    ]


async def test_the_history_of_an_order_is_its_stream() -> None:
    """Every event with its metadata, oldest first; an unknown order has none."""
    store = memory.EventStore(SHOP.catalogue)
    dispatch = CommandDispatch(store, SHOP.catalogue)
    for command in (PlaceOrder(lines=(HEART,)), CancelOrder(reason="dear")):
        await dispatch("o-1", command, Context.start("ann", uuid4(), at(0)))

    history = [recorded async for recorded in queries.order_history(store, "o-1")]

    assert [recorded.type for recorded in history] == ["OrderPlaced", "OrderCancelled"]
    assert {recorded.metadata.actor for recorded in history} == {"ann"}
    assert [recorded async for recorded in queries.order_history(store, "o-2")] == []


async def test_a_stock_level_is_found_by_its_sku() -> None:
    """A known SKU has a level; an unknown one is None."""
    views = memory.Views(stock_levels)
    level = StockLevel(sku="BANK CHARGES", version=0, on_hand=5, available=5)
    await views.save({"BANK CHARGES": Seen(level, 1)}, checkpoint=1, expected=None)

    assert await queries.stock_level(views, "BANK CHARGES") == level
    assert await queries.stock_level(views, "bank charges") is None
