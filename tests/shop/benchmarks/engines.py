"""Order fulfilment by both engines of sagas, in one run on one embedded node.

    python -m tests.shop.benchmarks.engines [ORDERS]

Temporal is its development server, in memory and with a file (the real server, not for production).
The rounds of the engines alternate. The processor is that of this process, which has the customers,
the relay and the worker, and that of Temporal's server.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Final
from uuid import uuid4

import psutil
from temporalio.client import Client

from application.command_dispatch import CommandDispatch
from application.consuming import GroupConsumer
from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.parking_stream import ParkingStream
from application.ports import EventStore
from application.sagas.driving import SagaDriver
from application.sagas.engine import SagaEngine
from application.sagas.performing import Performer
from application.shop.sagas.order_fulfilment import order_fulfilment
from application.shop.sagas.outside_calls import outside_calls
from application.shop.service import SHOP
from domain.stock import ReceiveStock
from embedded_eventstoredb import NodeProcess
from infrastructure import eventstoredb
from infrastructure.shop import memory as shop_memory
from infrastructure.temporal.converting import data_converter
from infrastructure.temporal.relay import TemporalEngine
from infrastructure.temporal.worker import worker
from tests.servers import LASTING_TEMPORAL, TEMPORAL, Started, started
from tests.shop.benchmarks.sagas import AT_ONCE, SKUS, Shop, asked, store_at

ORDERS: Final = 100
ROUNDS: Final = 3
COMPLETED: Final = EventFilter.of(order_fulfilment.name, "SagaCompleted")


def main(orders: int = ORDERS) -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory() as directory,
        NodeProcess(Path(directory), projections=False) as node,
        started(TEMPORAL) as in_memory,
        started(LASTING_TEMPORAL) as with_file,
    ):
        servers = {"plain": None, "Temporal": in_memory, "Temporal, with a file": with_file}
        asyncio.run(compare(node.uri, servers, orders))


async def compare(uri: str, servers: Mapping[str, Started | None], orders: int) -> None:
    rates: dict[str, list[float]] = {name: [] for name in servers}
    costs: dict[str, list[float]] = {name: [] for name in servers}
    theirs: dict[str, list[float]] = {name: [] for name in servers}
    for number in range(ROUNDS + 1):  # the first one is not counted
        for name, server in servers.items():
            async with fulfilling(uri, server) as shop:
                used, began = time.process_time(), time.perf_counter()
                beside = processor_of(server)
                await place(shop, f"{number}-{server is None}-{uuid4()}", orders)
                if number:
                    rates[name].append(orders / (time.perf_counter() - began))
                    costs[name].append((time.process_time() - used) / orders * 1e3)
                    theirs[name].append((processor_of(server) - beside) / orders * 1e3)
    for name in servers:
        rate, ours, its = (median(of[name]) for of in (rates, costs, theirs))
        server_part = f"{its:9.1f} ms of the server's" if its else ""
        print(f"{name:24}{rate:9.1f} fulfilments/s{ours:9.1f} ms of CPU each{server_part}")


def processor_of(server: Started | None) -> float:
    """Seconds so far."""
    if server is None:
        return 0.0
    used = psutil.Process(server.pid).cpu_times()
    return used.user + used.system


async def place(shop: Shop, prefix: str, orders: int) -> None:
    """Some customers at a time, until all orders are confirmed."""
    shop.waited.clear()
    shop.placed.clear()
    for first in range(0, orders, AT_ONCE):
        numbers = range(first, min(orders, first + AT_ONCE))
        await asyncio.gather(*(shop.place(f"{prefix}-{one}", one) for one in numbers))
    await shop.all_confirmed()


@asynccontextmanager
async def fulfilling(uri: str, server: Started | None) -> AsyncIterator[Shop]:
    """A shop whose orders this engine fulfils: the plain one, or that server."""
    async with AsyncExitStack() as stack:
        store, client = await stack.enter_async_context(store_at(uri))
        shop = Shop(CommandDispatch(store, SHOP.catalogue, remember=1000))
        for sku in range(SKUS):
            await shop.dispatch(
                f"s{sku}", ReceiveStock(receipt_id="r", quantity=1_000_000), asked()
            )
        perform = Performer(shop.dispatch, outside_calls(shop_memory.outside()))
        engine = await driver(stack, store, perform, server)
        tasks = [
            asyncio.create_task(consumer(engine, store, client).run()),
            asyncio.create_task(watch(shop, client)),
        ]
        yield shop
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def driver(
    stack: AsyncExitStack, store: EventStore, perform: Performer, server: Started | None
) -> SagaDriver:
    own, versions = SHOP.catalogue.own, [order_fulfilment]
    if server is None:
        return SagaEngine(versions, own, store, perform)
    client = await Client.connect(server.address, data_converter=data_converter())
    queue = f"benchmark {uuid4()}"
    at_work = worker(client, queue, versions, store, perform, lambda *_: None)
    await stack.enter_async_context(at_work)
    return TemporalEngine(versions, own, store, client, queue, searchable=False)


def consumer(engine: SagaDriver, store: EventStore, client: eventstoredb.Client) -> GroupConsumer:
    name, groups = order_fulfilment.name, eventstoredb.ConsumerGroups(client, SHOP.catalogue)
    parking = ParkingStream(store, name)
    return GroupConsumer(name, engine.events, engine.handle, groups, store, None, parking)


async def watch(shop: Shop, client: eventstoredb.Client) -> None:
    """See which orders are fulfilled."""
    subscriptions = eventstoredb.Subscriptions(client, SHOP.catalogue)
    async with subscriptions.catch_up(after=await subscriptions.head(), only=COMPLETED) as messages:
        async for message in messages:
            if isinstance(message, RecordedEvent) and message.stream_id in shop.placed:
                shop.confirmed(message.stream_id)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
