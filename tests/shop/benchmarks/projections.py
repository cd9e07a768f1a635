"""The projection runner into PostgreSQL, beside a bare loop that only reads and decodes the events.

    python -m tests.shop.benchmarks.projections [WORDS…]     the rows whose names begin so

The bare loop is what nobody can do without; the ratio says what folding, loading, writing and
checkpointing cost on top of it. Events come from memory, so no event store takes part. Each number
is the median of five rounds, in which all three take turns.

An order's second event may find the order still in memory, or it is *loaded again*: the runner
remembers the last 2,000 views.
"""

import asyncio
import gc
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar
from uuid import uuid4

from application.command_dispatch import CommandDispatch
from application.messages import Context, RecordedEvent
from application.ports import EventStore, Progress, Subscriptions
from application.projections.projection import Projection
from application.projections.runner import ProjectionRunner
from application.shop.read_models.order_summary import order_summary
from application.shop.read_models.orders_by_date import orders_by_date
from application.shop.read_models.stock_levels import stock_levels
from application.shop.service import SHOP
from domain.stock import ReceiveStock
from infrastructure import memory, postgres
from infrastructure.cli.process import YOUNG
from tests.projection_specification import at
from tests.servers import empty_schema, postgres_server
from tests.shop.benchmarks.replayed import Replay, orders, receipts, run
from tests.shop.benchmarks.whole_orders.deployment import processor_of, server_pid
from tests.waiting import until

LIVE = 1000  # commands, 200 a second
ROUNDS = 5

T = TypeVar("T")


class Row(NamedTuple):
    """A read model, and the events that it takes in."""

    projection: Projection[Any]
    make: Callable[[], Sequence[RecordedEvent]]


ROWS: Final = {
    "stock_levels, 60,000 receipts": Row(stock_levels, lambda: receipts(60_000, 2_000)),
    "order_summary, 20,000 of 2 lines": Row(order_summary, lambda: orders(10_000, 2, apart=500)),
    "order_summary, 20,000 of 25 lines": Row(order_summary, lambda: orders(10_000, 25, apart=500)),
    "order_summary, the same, loaded again": Row(
        order_summary, lambda: orders(10_000, 25, apart=5_000)
    ),
    "orders_by_date, 20,000 of 2 lines": Row(orders_by_date, lambda: orders(10_000, 2, apart=500)),
    "orders_by_date, 20,000 of 25 lines": Row(
        orders_by_date, lambda: orders(10_000, 25, apart=500)
    ),
}


def main(wanted: str = "") -> None:
    """Measure and print a table; takes about two minutes."""
    gc.set_threshold(YOUNG)  # as the service does
    print(
        f"{'events/s; µs of the processor, of both':42}"
        f"{'bare loop':>10}{'memory':>10}{'PostgreSQL':>12}{'ratio':>8}{'here':>8}{'its own':>8}"
    )
    with postgres_server() as server, empty_schema(server) as uri:
        asyncio.run(measure(uri, wanted))


async def measure(uri: str, wanted: str) -> None:
    async with postgres.pool(uri) as pool:
        await postgres.migrate(pool)
        table = Table(pool, server_pid(uri))
        for name, row in ROWS.items():
            if name.startswith(wanted):
                await table.measure(name, row)
        if not wanted:
            store = memory.EventStore(SHOP.catalogue)
            await live("memory", pool, store, memory.Subscriptions(store))


@dataclass(frozen=True)
class Table:
    """Fills views in the database of this pool, whose server is the process ``server``."""

    pool: postgres.Pool
    server: int

    async def measure(self, name: str, row: Row) -> None:
        """Print the medians."""
        events, projection = row.make(), row.projection

        async def bare(replay: Replay) -> None:
            async with replay.catch_up(after=None, only=projection.events) as messages:
                async for message in messages:
                    if isinstance(message, Progress):
                        return
                    _ = message.event, message.metadata

        async def into_memory(replay: Replay) -> None:
            await run(projection, replay, memory.Views(projection))

        async def into_postgres(replay: Replay) -> None:
            await run(projection, replay, views)

        views = postgres.Views(self.pool, projection)
        await views.prepare()
        rounds = []
        for _ in range(ROUNDS):
            await views.clear()
            rounds.append(
                [
                    await taken(work, Replay(events), self.server)
                    for work in (bare, into_memory, into_postgres)
                ]
            )
        self._print(name, len(events), [median(of) for of in zip(*rounds, strict=True)])

    @staticmethod
    def _print(name: str, events: int, of: Sequence["Taken"]) -> None:
        rates = [events / one.seconds for one in of]
        numbers = "".join(
            f"{rate:{width},.0f}" for rate, width in zip(rates, (10, 10, 12), strict=True)
        )
        here, server = (time / events * 1e6 for time in (of[-1].here, of[-1].server))
        print(f"{name:42}{numbers}{rates[2] / rates[0]:8.2f}{here:8.0f}{server:8.0f}", flush=True)


@dataclass(frozen=True)
class Taken:
    """Seconds: that something took, and of the processor, of this process and of PostgreSQL."""

    seconds: float
    here: float
    server: float


def median(of: Sequence[Taken]) -> Taken:
    """The median of each number."""
    return Taken(
        statistics.median(one.seconds for one in of),
        statistics.median(one.here for one in of),
        statistics.median(one.server for one in of),
    )


async def taken(work: Callable[[T], Awaitable[None]], material: T, server: int = 0) -> Taken:
    """What the work takes; ``server``: the process of PostgreSQL, if its time is to be counted.

    Looking for garbage among what stood before is not counted: a service, too, spares what stood
    when it was started.
    """
    gc.freeze()
    there = processor_of(server) if server else 0.0
    started, busy = time.perf_counter(), time.process_time()
    await work(material)
    ended, done = time.perf_counter(), time.process_time()
    gc.unfreeze()
    return Taken(ended - started, done - busy, processor_of(server) - there if server else 0.0)


async def fastest(work: Callable[[T], Awaitable[None]], fresh: Callable[[], T]) -> float:
    """Seconds that the best of three takes. Making what it works on is not counted."""
    return min([(await taken(work, fresh())).seconds for _ in range(3)])


async def live(
    where: str, pool: postgres.Pool, store: EventStore, subscriptions: Subscriptions
) -> None:
    """Print how long it takes from a command to its view, at 200 commands a second."""
    dispatch, views = (
        CommandDispatch(store, SHOP.catalogue),
        postgres.Views(pool, stock_levels),
    )
    await views.prepare()
    await views.clear()
    runner = ProjectionRunner(stock_levels, subscriptions, views, None)
    task = asyncio.create_task(runner.run())
    await until(lambda: runner.status().caught_up, within=300)
    gc.freeze()  # as the service does
    arrivals = Arrivals(runner)
    watching = asyncio.create_task(arrivals.watch())
    delays = await asyncio.gather(*(one(dispatch, arrivals, number) for number in range(LIVE)))
    for ended in (watching, task):
        ended.cancel()
        await asyncio.wait([ended])
    percentiles = statistics.quantiles(delays, n=100)
    p50, p99 = (f"{percentiles[percent - 1] * 1e3:.1f} ms" for percent in (50, 99))
    print(f"{f'command to visible, {where}: p50, p99':42}{p50:>10}{p99:>10}")


class Arrivals:
    """Looks once a millisecond how far the runner is, for all who wait.

    If each looked for itself, whoever is late would make the others later: a stall that feeds on
    itself.
    """

    def __init__(self, runner: ProjectionRunner[Any]) -> None:
        self._runner = runner
        self._awaited: list[tuple[int, asyncio.Event]] = []

    async def watch(self) -> None:
        while True:
            position = self._runner.status().position or 0
            for awaited, arrived in self._awaited:
                if awaited <= position:
                    arrived.set()
            self._awaited = [one for one in self._awaited if not one[1].is_set()]
            await asyncio.sleep(0.001)

    async def of(self, position: int) -> None:
        arrived = asyncio.Event()
        self._awaited.append((position, arrived))
        await arrived.wait()


async def one(dispatch: CommandDispatch, arrivals: Arrivals, number: int) -> float:
    """Seconds from the wish until its event is in the view, the append included."""
    await asyncio.sleep(number / 200)
    started = time.perf_counter()
    wish = ReceiveStock(receipt_id=f"live-{number}", quantity=1)
    done = await dispatch(f"live-{number}", wish, Context.start("a benchmark", uuid4(), at(0)))
    assert done.position is not None  # it is a new receipt
    await arrivals.of(done.position)
    return time.perf_counter() - started


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
