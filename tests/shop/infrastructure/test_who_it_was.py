"""Who it was, through all that one order sets off: each event names a person, or for whom it is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from application.messages import RecordedEvent
from application.shop.reactions.shipping import GROUP
from application.shop.service import SHOP
from domain.stock import ReceiveStock
from infrastructure.container import Container
from infrastructure.providers.simulated import Fault, Faults
from tests.callers import named, with_named_callers
from tests.shop.infrastructure.fulfilling import fulfilling
from tests.shop.infrastructure.shop import ORDER, Shop, empty_shop, shop_over
from tests.waiting import until_true

CARL, WALTER = "test|17850", "test|walter"
BY_CARL, BY_WALTER = named("customer", "17850"), named("warehouse", "walter")


async def caused_by(shop: Shop, correlation: str) -> list[RecordedEvent]:
    """All events of that correlation, of all streams."""
    async with shop.container.subscriptions().catch_up(
        after=None, only=SHOP.catalogue.own
    ) as messages:
        found = []
        async for message in messages:
            if isinstance(message, RecordedEvent):
                found.append(message)
            elif message.caught_up:
                return [one for one in found if one.correlation_id == correlation]
    raise AssertionError("it never caught up")


@asynccontextmanager
async def reacting(container: Container) -> AsyncIterator[None]:
    """The reaction to parcels that leave, as its consumer runs it."""
    (reaction,) = (one for one in SHOP.reactions if one.name == GROUP)
    handle = reaction.handler(container.tools())

    async def follow() -> None:
        following = container.subscriptions().catch_up(after=None, only=reaction.events)
        async with following as messages:
            async for message in messages:
                if isinstance(message, RecordedEvent):
                    await handle(message)

    task = asyncio.create_task(follow())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_each_event_of_an_order_names_who_set_it_off() -> None:
    """The customer, for all that the saga does; the warehouse, for what follows from its parcel."""
    faults = Faults([Fault(kind="unavailable", call="book", times=2)])
    container = with_named_callers(empty_shop())
    async with shop_over(container) as shop, fulfilling(container, faults), reacting(container):
        await shop.dispatch("85123A", ReceiveStock(receipt_id="r-1", quantity=100))
        started = {**BY_CARL, "X-Correlation-ID": "of-this-order"}
        answer = await shop.post("/orders", {**ORDER, "customer_id": None}, started)
        order = answer.headers["Location"]

        async def is_completed() -> bool:
            found = await shop.http.get(f"{order}/fulfilment", headers=BY_CARL)
            return found.status_code == 200 and found.json()["status"] == "completed"

        await until_true(is_completed)
        id = order.removeprefix("/orders/")
        handed = {**BY_WALTER, "X-Correlation-ID": "of-this-order"}
        assert (await shop.post(f"/orders/{id}/dispatch", {}, handed)).status_code == 200
        await shop.post(f"/shipments/{id}/hand-over", {"tracking_code": "T-1"}, handed)

        async def has_left_the_stock() -> bool:
            return "StockDispatched" in await shop.events("stock-85123A")

        await until_true(has_left_the_stock)
        events = await caused_by(shop, "of-this-order")

    people = {CARL, WALTER}
    assert {one.stream.partition("-")[0] for one in events} >= {
        *("order", "stock", "payment", "shipment", "order_fulfilment"),
    }
    for one in events:
        by, principal = one.metadata.actor, one.metadata.on_behalf_of
        assert (by in people) is (principal is None), f"{one.type} by {by} for {principal}"
        assert one.metadata.principal in people, f"{one.type} by {by} for {principal}"
    of_saga = [one for one in events if one.metadata.actor == "order_fulfilment"]
    assert {one.metadata.on_behalf_of for one in of_saga} == {CARL}
