"""64 clients on one stream beside 64 clients on 64 streams, on both event stores.

    python -m tests.shop.benchmarks.one_stream

One popular SKU: each command reserves it for another order, and most wait for others on the same
stream. They take turns, and those that wait together are appended together.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import Final
from uuid import uuid4

from application.command_dispatch import CommandDispatch
from application.messages import Context
from application.ports import EventStore
from application.shop.service import SHOP
from domain.stock import ReceiveStock, ReserveStock
from embedded_eventstoredb import NodeProcess
from infrastructure import eventstoredb, postgres
from infrastructure.container import REMEMBER
from tests.projection_specification import at
from tests.servers import empty_schema, postgres_server

CLIENTS: Final = 64
ROUNDS: Final = 5
COMMANDS: Final = 40  # of each client

_numbers = count()


def main() -> None:
    """Measure and print."""
    print(f"{'commands a second, 64 clients':34}{'one stream':>12}{'64 streams':>12}{'ratio':>8}")
    with postgres_server() as server, empty_schema(server) as uri:
        asyncio.run(on_postgres(uri))
    with tempfile.TemporaryDirectory() as home, NodeProcess(Path(home), projections=False) as node:
        asyncio.run(on_the_node(node.uri))


async def on_postgres(uri: str) -> None:
    async with postgres.durable_pool(uri) as pool:
        await postgres.migrate(pool)
        await compare("PostgreSQL (real)", postgres.EventStore(pool, SHOP.catalogue))


async def on_the_node(uri: str) -> None:
    client = await eventstoredb.connect(uri)
    await compare(
        "EventStoreDB (the node, a double)",
        eventstoredb.EventStore(client, SHOP.catalogue),
    )
    await client.close()


async def compare(what: str, store: EventStore) -> None:
    """In turns; the best rate of each, and the median of the ratios."""
    dispatch = CommandDispatch(store, SHOP.catalogue, remember=REMEMBER)
    measured: list[Callable[[], Awaitable[float]]] = [
        partial(rate, dispatch, 1),
        partial(rate, dispatch, CLIENTS),
    ]
    turns = [[await measure() for measure in measured] for _ in range(ROUNDS)]
    one, many = (max(side) for side in zip(*turns, strict=True))
    ratio = median(here / there for here, there in turns)
    print(f"{what:34}{one:12,.0f}{many:12,.0f}{ratio:8.2f}   aim ≥ 0.50")


async def rate(dispatch: CommandDispatch, streams: int) -> float:
    """Commands a second, of clients that share so many streams."""
    skus = [f"sku.{next(_numbers)}" for _ in range(streams)]
    for sku in skus:
        await dispatch(sku, ReceiveStock(receipt_id="r", quantity=10**6), context())
    started = time.perf_counter()
    await asyncio.gather(*(client(dispatch, skus, number) for number in range(CLIENTS)))
    return CLIENTS * COMMANDS / (time.perf_counter() - started)


async def client(dispatch: CommandDispatch, skus: Sequence[str], number: int) -> None:
    """One client, one order after the other."""
    for _ in range(COMMANDS):
        command = ReserveStock(order_id=f"o-{next(_numbers)}", quantity=1)
        await dispatch(skus[number % len(skus)], command, context())


def context() -> Context:
    return Context.start("a benchmark", uuid4(), at(0))


if __name__ == "__main__":
    main()
