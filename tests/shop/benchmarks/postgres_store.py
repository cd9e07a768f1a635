"""PostgreSQL as the event store, beside the PyPI library ``eventsourcing`` 9.5 on the same server.

    python -m tests.shop.benchmarks.postgres_store

The same orders, placed, confirmed, shipped and delivered; each command is on disk when it is
answered. Both as they are when nothing is set: the library reads the order's events before each
command but the first; the service remembers what it has seen of a stream. In the row "reading each
time" ours reads them, too. The library is an optional extra; without it this says how to get it.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import count
from statistics import median
from typing import Any, Final
from uuid import uuid4

from application.command_dispatch import CommandDispatch
from application.loaded_stream import LoadedStream
from application.messages import Context
from application.ports import NO_STREAM
from application.shop.read_models.stock_levels import stock_levels
from application.shop.service import SHOP
from domain.orders import ConfirmOrder, DeliverOrder, OrderLine, PlaceOrder, ShipOrder
from domain.stock import ReceiveStock
from domain.values import Money
from infrastructure import postgres
from infrastructure.container import REMEMBER
from tests.projection_specification import at
from tests.servers import empty_schema, postgres_server
from tests.shop.benchmarks.catching_up import caught_up, received
from tests.shop.benchmarks.projections import fastest

ROUNDS: Final = 3
CLIENTS: Final = 64
ORDERS, EACH = 100, 25  # of one client, and of each of many
LONG: Final = 1_000  # events
SKUS, RECEIPTS = 200, 200

PLACE: Final = PlaceOrder(
    customer_id="17850",
    country="United Kingdom",
    lines=tuple(
        OrderLine(sku=sku, description=text, quantity=6, unit_price=Money.parse("2.55 GBP"))
        for sku, text in (("85123A", "WHITE HANGING HEART"), ("71053", "WHITE METAL LANTERN"))
    ),
)
NEXT: Final = (ConfirmOrder(), ShipOrder(shipment_id="shipment-1"), DeliverOrder())
COMMANDS: Final = 1 + len(NEXT)

_numbers = count()


@dataclass(frozen=True)
class Comparison:
    """The rates of both, each on an empty schema."""

    what: str
    aim: int | None
    ours: Callable[[str], Coroutine[Any, Any, float]]
    theirs: Callable[[str], float]


def main() -> None:
    """Measure and print; takes about a minute."""
    if find_spec("eventsourcing") is None:
        print("Not measured. For it: .venv/bin/pip install 'eventsourcing[postgres]==9.5.*'")
        return
    print(f"{'':38}{'here':>12}{'eventsourcing':>15}{'ratio':>8}{'aim':>7}")
    with postgres_server() as server:
        for comparison in comparisons():
            gc.freeze()  # as the service does at its start; it is for both
            compare(server, comparison)


def comparisons() -> tuple[Comparison, ...]:
    from tests.shop.benchmarks import peer_store as peer

    one, many = partial(commands, 1, ORDERS), partial(commands, CLIENTS, EACH)
    one_seen, many_seen = (partial(of, remember=REMEMBER) for of in (one, many))
    one_there = partial(peer.commands, 1, ORDERS // 2)
    many_there = partial(peer.commands, CLIENTS, EACH // 6)
    # fmt: off
    return (
        Comparison("commands/s, one client",       2,    one_seen,  one_there),
        Comparison("the same, reading each time",  None, one,       one_there),
        Comparison("commands/s, 64 clients",       10,   many_seen, many_there),
        Comparison("the same, reading each time",  None, many,      many_there),
        Comparison("events/s, loaded, 1,000 each", 3,    loaded,    peer.loaded),
        Comparison("events/s, projected",          20,   projected, peer.projected),
    )
    # fmt: on


def compare(server: str, this: Comparison) -> None:
    """In turns; the best rate of each, and the median of the ratios."""
    rates: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        with empty_schema(server) as uri, empty_schema(server) as other:
            rates.append((asyncio.run(this.ours(uri)), this.theirs(other)))
    here, there = (max(side) for side in zip(*rates, strict=True))
    ratio = median(mine / its for mine, its in rates)
    aim = f"≥ {this.aim}" if this.aim else ""
    print(f"{this.what:38}{here:12,.0f}{there:15,.0f}{ratio:8.1f}{aim:>7}")


@asynccontextmanager
async def migrated(uri: str) -> AsyncIterator[postgres.Pool]:
    """Empty tables, and as many connections as the service has."""
    async with postgres.durable_pool(uri) as pool:
        await postgres.migrate(pool)
        yield pool


async def commands(clients: int, orders: int, uri: str, remember: int = 0) -> float:
    """Commands a second, of so many clients with so many orders each."""
    async with migrated(uri) as pool:
        dispatch = CommandDispatch(
            postgres.EventStore(pool, SHOP.catalogue), SHOP.catalogue, remember=remember
        )
        await asyncio.gather(*(fulfil(dispatch, 1) for _ in range(clients)))
        started = time.perf_counter()
        await asyncio.gather(*(fulfil(dispatch, orders) for _ in range(clients)))
        return clients * orders * COMMANDS / (time.perf_counter() - started)


async def fulfil(dispatch: CommandDispatch, orders: int) -> None:
    """One client, one order after the other."""
    for _ in range(orders):
        id = str(next(_numbers))
        await dispatch(id, PLACE, context(), new=True)
        for command in NEXT:
            await dispatch(id, command, context())


def context() -> Context:
    return Context.start("a benchmark", uuid4(), at(0))


async def loaded(uri: str) -> float:
    """Events a second: read, and folded into the state."""
    async with migrated(uri) as pool:
        store, stock = (
            postgres.EventStore(pool, SHOP.catalogue),
            SHOP.catalogue.by_command[ReceiveStock],
        )
        stream = stock.stream("mug")
        deliveries = [event for _ in range(LONG) for event in received(1)]  # each a command's
        await store.append(stream, deliveries, NO_STREAM)

        async def load(past: LoadedStream) -> None:
            await past.read_on(store)
            assert past.state.on_hand == LONG

        return LONG / min([await seconds(load(LoadedStream(stock, stream))) for _ in range(5)])


async def seconds(work: Awaitable[None]) -> float:
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


async def projected(uri: str) -> float:
    """Events a second, out of PostgreSQL and into it."""
    async with migrated(uri) as pool, postgres.pool(uri) as other, postgres.wake_up(uri) as signal:
        store, views = (
            postgres.EventStore(pool, SHOP.catalogue),
            postgres.Views(other, stock_levels),
        )
        for number in range(SKUS):
            await store.append(f"stock-{number}", received(RECEIPTS), NO_STREAM)
        await views.prepare()
        subscriptions = postgres.Subscriptions(pool, signal, postgres.Horizon(pool), SHOP.catalogue)
        seconds = await fastest(partial(caught_up, subscriptions), lambda: views)
        return SKUS * RECEIPTS / seconds


if __name__ == "__main__":
    main()
