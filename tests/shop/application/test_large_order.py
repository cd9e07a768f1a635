"""The largest invoice of the order history, which no event store takes as it is."""

from datetime import UTC, datetime
from uuid import uuid4

from application.claim_check import LIMIT, ClaimCheck
from application.command_dispatch import CommandDispatch
from application.messages import Context
from application.shop.service import SHOP
from domain.orders import OrderLine, PlaceOrder, ReturnedLine, ReturnLines
from domain.values import Money
from infrastructure import memory

CONTEXT = Context.start("a test", uuid4(), datetime(2026, 1, 1, tzinfo=UTC))
LINE = OrderLine(sku="85123A", quantity=6, unit_price=Money.parse("2.55 GBP"))
LARGE = PlaceOrder(lines=(LINE,) * 1_114, from_history=True)


async def test_an_order_of_a_thousand_lines_is_daily_work() -> None:
    """It is placed, returned from, and repeated like any other."""
    store = memory.EventStore(SHOP.catalogue)
    dispatch = CommandDispatch(ClaimCheck(store, memory.PayloadStore()), SHOP.catalogue)
    back = ReturnLines(return_id="C1", lines=(ReturnedLine(line=1_114, quantity=6),))

    placed = await dispatch("580729", LARGE, CONTEXT)
    again = await dispatch("580729", LARGE, CONTEXT)
    returned = await dispatch("580729", back, Context.start("a test", uuid4(), CONTEXT.occurred_at))

    assert (again.repeated, again.version, again.events) == (True, 0, placed.events)
    assert returned.version == 1
    assert max([len(one.data) async for one in store.read("order-580729")]) < LIMIT
