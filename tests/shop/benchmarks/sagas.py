"""Order fulfilment on the embedded node, with providers that answer at once; and sleeping sagas.

    python -m tests.shop.benchmarks.sagas [SLEEPING]

A fulfilment is everything from placing an order to its confirmation: 12 appends, 19 events. Without
an argument 10,000 sagas sleep.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final
from uuid import uuid4

from application.claim_check import ClaimCheck
from application.command_dispatch import CommandDispatch
from application.consuming import GroupConsumer
from application.messages import Context, RecordedEvent
from application.parking_stream import ParkingStream
from application.ports import NO_STREAM, EventStore
from application.sagas.deadlines import Deadlines
from application.sagas.engine import SagaEngine
from application.sagas.events import SagaStarted, StepBegun, StepDelayed
from application.sagas.performing import Performer
from application.shop.sagas.outside_calls import outside_calls
from application.shop.service import SHOP
from domain.orders import PlaceOrder
from domain.stock import ReceiveStock
from embedded_eventstoredb import NodeProcess
from infrastructure import eventstoredb, memory
from infrastructure.shop import memory as shop_memory

ORDERS: Final = 500
AT_ONCE: Final = 16  # customers
PACED: Final = 100  # orders at a pace of
PACE: Final = 20  # a second
SKUS: Final = 200
SLEEPING: Final = 10_000
IDLE: Final = 5.0  # seconds


def main(sleeping: int = SLEEPING) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as directory:
        with NodeProcess(Path(directory) / "busy", projections=False) as node:
            asyncio.run(fulfil(node.uri))
        with NodeProcess(Path(directory) / "asleep", projections=False) as node:
            asyncio.run(sleep(node.uri, sleeping))


# ── fulfilling ───────────────────────────────────────────────────────────────────────────────────


@dataclass
class Shop:
    """Customers, and how long each of them has waited."""

    dispatch: CommandDispatch
    placed: dict[str, float] = field(default_factory=dict)
    waited: list[float] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def place(self, id: str, sku: int) -> None:
        self.placed[id] = time.perf_counter()
        lines = [{"sku": f"s{sku % SKUS}", "quantity": 1, "unit_price": "2.5 GBP"}]
        await self.dispatch(id, PlaceOrder.model_validate({"lines": lines}), asked(), new=True)

    def confirmed(self, id: str) -> None:
        self.waited.append(time.perf_counter() - self.placed[id])
        self.news.set()

    async def all_confirmed(self) -> None:
        while len(self.waited) < len(self.placed):
            self.news.clear()
            await self.news.wait()


async def fulfil(uri: str) -> None:
    async with store_at(uri) as (store, client):
        shop = Shop(CommandDispatch(store, SHOP.catalogue, remember=1000))
        for sku in range(SKUS):
            stocked = ReceiveStock(receipt_id="r", quantity=1_000_000)
            await shop.dispatch(f"s{sku}", stocked, asked())
        worker = asyncio.create_task(consumer(shop, store, client).run())
        await at_once(shop)
        await paced(shop)
        worker.cancel()
        await asyncio.wait([worker])


def consumer(shop: Shop, store: EventStore, client: eventstoredb.Client) -> GroupConsumer:
    perform = Performer(shop.dispatch, outside_calls(shop_memory.outside()))
    engine = SagaEngine(SHOP.sagas, SHOP.catalogue.own, store, perform)

    async def handle(recorded: RecordedEvent) -> None:
        await engine.handle(recorded)
        shop.confirmed(recorded.stream_id)

    name, groups = (
        engine.newest.name,
        eventstoredb.ConsumerGroups(client, SHOP.catalogue),
    )
    return GroupConsumer(
        name,
        engine.events,
        handle,
        groups,
        store,
        None,
        ParkingStream(store, name),
    )


async def at_once(shop: Shop) -> None:
    """As many as it takes, some customers at a time."""
    began, cost = time.perf_counter(), time.process_time()
    for first in range(0, ORDERS, AT_ONCE):
        numbers = range(first, min(ORDERS, first + AT_ONCE))
        await asyncio.gather(*(shop.place(f"o{number}", number) for number in numbers))
    await shop.all_confirmed()
    took, cost = time.perf_counter() - began, time.process_time() - cost
    each = f"{cost / ORDERS * 1e3:9.1f} ms of CPU each"
    print(f"{'whole fulfilments':34}{ORDERS / took:12,.0f} /s{each}")


async def paced(shop: Shop) -> None:
    shop.waited.clear()
    shop.placed.clear()
    for number in range(PACED):
        await asyncio.gather(shop.place(f"p{number}", number), asyncio.sleep(1 / PACE))
    await shop.all_confirmed()
    middle, slow = median(shop.waited), sorted(shop.waited)[int(len(shop.waited) * 0.99)]
    print(f"{f'one, at {PACE}/s':34}{middle * 1e3:9.0f} ms p50{slow * 1e3:9.0f} ms p99")


# ── sleeping ─────────────────────────────────────────────────────────────────────────────────────


async def sleep(uri: str, count: int) -> None:
    async with store_at(uri) as (store, client):
        await put_to_sleep(store, count)
        subscriptions = eventstoredb.Subscriptions(client, SHOP.catalogue)
        for what in ("learnt from the log", "recalled"):
            deadlines = Deadlines(SHOP.sagas[0].name, store, subscriptions)
            began = time.perf_counter()
            task = asyncio.create_task(deadlines.run())
            await deadlines.caught_up()
            assert len(deadlines.moments) == count
            print(f"{f'{count:,} sleeping sagas {what}':40}{time.perf_counter() - began:9.2f} s")
            await deadlines.keep()
            cost = time.process_time()
            await asyncio.sleep(IDLE)
            cost = time.process_time() - cost
            print(f"{'  and then, of one processor':40}{cost / IDLE:9.1%}")
            task.cancel()
            await asyncio.wait([task])


async def put_to_sleep(store: EventStore, count: int) -> None:
    limit, tomorrow = asyncio.Semaphore(50), datetime.now(UTC) + timedelta(days=1)
    history = (
        SagaStarted(saga=SHOP.sagas[0].name, version=1, facts={}),
        StepBegun(step="book shipment", deadline=tomorrow),
        StepDelayed(step="book shipment", error="away", again_at=tomorrow),
    )

    async def one(number: int) -> None:
        async with limit:
            events = [SHOP.catalogue.new_event(event, uuid4(), asked()) for event in history]
            await store.append(f"{SHOP.sagas[0].name}-o{number}", events, NO_STREAM)

    await asyncio.gather(*(one(number) for number in range(count)))


def asked() -> Context:
    return Context.start("a benchmark", uuid4(), datetime.now(UTC))


@asynccontextmanager
async def store_at(uri: str) -> AsyncIterator[tuple[EventStore, eventstoredb.Client]]:
    client = await eventstoredb.connect(uri)
    try:
        yield (
            ClaimCheck(
                eventstoredb.EventStore(client, SHOP.catalogue),
                memory.PayloadStore(),
            ),
            client,
        )
    finally:
        await client.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
