"""Everybody wants the same thing at once: on each event store, nobody is refused or cancelled."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
from dependency_injector import providers

from application.command_dispatch import CommandDispatch
from application.shop.service import SHOP
from infrastructure.container import Container
from infrastructure.shop import memory as shop_memory
from tests.shop.infrastructure.shop import Shop
from tests.waiting import until_true

SHARED = "s"


async def receipts(shop: Shop, count: int) -> tuple[Sequence[httpx.Response], float]:
    """So many deliveries of one SKU at once: the answers, and how long the last one took."""
    began = time.monotonic()
    answers = await asyncio.gather(
        *(shop.post(f"/stock/{SHARED}/receipts", {"quantity": 1}) for _ in range(count))
    )
    return answers, time.monotonic() - began


async def test_fifty_commands_for_one_stream_are_all_carried_out(shop_on_servers: Shop) -> None:
    """50 at once: 201 for each, with a version of its own, and one event for each."""
    answers, _ = await receipts(shop_on_servers, 50)

    assert Counter(answer.status_code for answer in answers) == {201: 50}
    assert sorted(answer.json()["version"] for answer in answers) == [*range(50)]
    assert len({answer.headers["Consistency-Token"] for answer in answers}) == 50
    assert await shop_on_servers.events(f"stock-{SHARED}") == ["StockReceived"] * 50


async def test_five_hundred_commands_for_one_stream_are_answered_in_time(
    shop_on_servers: Shop,
) -> None:
    """500 at once: 201, or 503 with `Retry-After`; the events are those of the 201, once each."""
    answers, seconds = await receipts(shop_on_servers, 500)

    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[201] + statuses[503] == 500
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 503)
    assert len(await shop_on_servers.events(f"stock-{SHARED}")) == statuses[201] >= 1
    assert seconds < 30, "a machine with other work; alone it takes about two"


async def test_a_queue_that_is_full_is_told_at_once(shop: Shop) -> None:
    """Beyond the bound: 503 as a problem that says when to come again, and nothing was done."""
    short = CommandDispatch(shop.container.event_store(), SHOP.catalogue, waiting=10)
    shop.container.dispatch.override(providers.Object(short))
    shop.container.served.reset()  # it has the one before

    answers, _ = await receipts(shop, 50)

    refused = [answer for answer in answers if answer.status_code == 503]
    assert {answer.json()["type"] for answer in refused} == {"urn:headwater:problem:stream-busy"}
    assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
    assert len(await shop.events(f"stock-{SHARED}")) == 50 - len(refused) >= 11


@asynccontextmanager
async def at_work(container: Container) -> AsyncIterator[None]:
    """A worker of the service's own consumer group, and providers that answer."""
    container.outside.override(providers.Object(shop_memory.outside()))
    worker = asyncio.create_task(container.saga_workers()["order_fulfilment"].run())
    try:
        yield
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


async def test_forty_orders_of_one_shared_sku_are_all_confirmed(shop_on_servers: Shop) -> None:
    """Each of a SKU of its own with a long name, and a shared one with a short: none is parked."""
    shop = shop_on_servers
    own = [f"an own SKU with a rather long name {number}" for number in range(40)]
    for sku in (SHARED, *own):
        await shop.post(f"/stock/{sku}/receipts", {"quantity": 100})

    async with at_work(shop.container):
        placed = await asyncio.gather(*(shop.post("/orders", order(sku)) for sku in own))
        ids = [answer.json()["id"] for answer in placed]

        async def all_confirmed() -> bool:
            events = await asyncio.gather(*(shop.events(f"order-{id}") for id in ids))
            parked = await shop.events("parking-order_fulfilment")
            assert (parked, [one for one in events if "OrderCancelled" in one]) == ([], [])
            return all("OrderConfirmed" in one for one in events)

        await until_true(all_confirmed)
    reserved = await shop.events(f"stock-{SHARED}")
    assert reserved == ["StockReceived", *["StockReserved"] * 40]


def order(sku: str) -> Any:
    return {
        "lines": [{"sku": code, "quantity": 1, "unit_price": "2.50 GBP"} for code in (sku, SHARED)]
    }
