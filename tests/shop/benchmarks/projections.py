"""The projection runner into PostgreSQL, beside a bare loop that only reads and decodes the events.

The bare loop is what nobody can do without; the ratio says what folding, loading, writing and
checkpointing cost on top of it. Events come from memory, so no event store takes part.
"""

import asyncio
import gc
import statistics
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar
from uuid import uuid4

from application.command_dispatch import CommandDispatch
from application.event_filter import EventFilter
from application.messages import Context, RecordedEvent
from application.ports import EventStore, Progress, Subscriptions, WritableViews
from application.projections.projection import Projection
from application.projections.runner import ProjectionRunner
from application.shop.read_models.order_summary import order_summary
from application.shop.read_models.orders_by_date import orders_by_date
from application.shop.read_models.stock_levels import stock_levels
from application.shop.service import SHOP
from domain.decider import Event
from domain.orders import OrderConfirmed, OrderLine, OrderPlaced
from domain.stock import ReceiveStock, StockReceived
from domain.values import Money
from infrastructure import memory, postgres
from tests.projection_specification import at, recorded
from tests.servers import empty_schema, postgres_server
from tests.waiting import until

LIVE = 1000  # commands, 200 a second


T = TypeVar("T")


def main() -> None:
    """Measure and print a table; takes about half a minute."""
    print(
        f"{'events/s; µs of processor, here':42}"
        f"{'bare loop':>10}{'memory':>10}{'PostgreSQL':>12}{'ratio':>8}{'µs':>8}"
    )
    with postgres_server() as server, empty_schema(server) as uri:
        asyncio.run(measure(uri))


async def measure(uri: str) -> None:
    async with postgres.pool(uri) as pool:
        await postgres.migrate(pool)
        await row("stock_levels, 60,000 receipts", pool, stock_levels, receipts(60_000, 2_000))
        await row("order_summary, 20,000 of 2 lines", pool, order_summary, orders(10_000, 2))
        await row("order_summary, 2,000 of 25 lines", pool, order_summary, orders(1_000, 25))
        await row("orders_by_date, 20,000 of 2 lines", pool, orders_by_date, orders(10_000, 2))
        await row("orders_by_date, 2,000 of 25 lines", pool, orders_by_date, orders(1_000, 25))
        store = memory.EventStore(SHOP.catalogue)
        await live("memory", pool, store, memory.Subscriptions(store))


def receipts(count: int, skus: int) -> Sequence[RecordedEvent]:
    """Small events, and many for each view."""
    return recorded(
        SHOP.catalogue,
        (
            (f"stock-{number % skus}", StockReceived(receipt_id=f"r-{number}", quantity=1))
            for number in range(count)
        ),
    )


def orders(count: int, lines: int) -> Sequence[RecordedEvent]:
    """Two events for each view: an order that is placed, and confirmed a while later."""
    line = OrderLine(
        sku="85123A",
        description="WHITE HANGING HEART T-LIGHT HOLDER",
        quantity=6,
        unit_price=Money.parse("2.55 GBP"),
    )
    placed = OrderPlaced(customer_id="17850", country="France", lines=(line,) * lines)
    steps: list[tuple[str, Event]] = [(f"order-{number}", placed) for number in range(count)]
    return recorded(SHOP.catalogue, steps + [(stream, OrderConfirmed()) for stream, _ in steps])


class Replay:
    """Subscriptions to a list of events, for one run: undecoded, and forgotten once they are sent.

    So they come from a store. Who kept them, decoded, would have garbage collected around them.
    """

    def __init__(self, events: Sequence[RecordedEvent]) -> None:
        self._events = deque(replace(event) for event in events)
        self._end = events[-1].position

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, only: EventFilter
    ) -> AsyncIterator[AsyncIterator[RecordedEvent | Progress]]:
        yield self._replay(-1 if after is None else after, only)

    async def _replay(
        self, after: int, only: EventFilter
    ) -> AsyncIterator[RecordedEvent | Progress]:
        while self._events:
            event = self._events.popleft()
            if event.position > after and event in only:
                yield event
        yield Progress(self._end, caught_up=True)
        await asyncio.Event().wait()


async def row(
    name: str, pool: postgres.Pool, projection: Projection[Any], events: Sequence[RecordedEvent]
) -> None:
    async def bare(replay: Replay) -> None:
        async with replay.catch_up(after=None, only=projection.events) as messages:
            async for message in messages:
                if isinstance(message, Progress):
                    return
                _ = message.event, message.metadata

    async def into_memory(replay: Replay) -> None:
        await run(projection, replay, memory.Views(projection))

    async def into_postgres(replay: Replay) -> None:
        views = postgres.Views(pool, projection)
        await views.prepare()
        await views.clear()
        await run(projection, replay, views)

    works = (bare, into_memory, into_postgres)
    best = [await fastest(work, lambda: Replay(events)) for work in works]
    rates = [len(events) / seconds for seconds, _ in best]
    busy = best[-1][1] / len(events) * 1e6
    numbers = "".join(
        f"{rate:{width},.0f}" for rate, width in zip(rates, (10, 10, 12), strict=True)
    )
    print(f"{name:42}{numbers}{rates[2] / rates[0]:8.2f}{busy:8.0f}")


async def fastest(
    work: Callable[[T], Awaitable[None]], fresh: Callable[[], T]
) -> tuple[float, float]:
    """Seconds that the best of three takes, and of the processor of this process.

    Making what it works on is not counted.

    Nor is looking for garbage in it: a service, too, spares what stood when it was started.
    """
    taken = []
    for _ in range(3):
        material = fresh()
        gc.freeze()
        started, busy = time.perf_counter(), time.process_time()
        await work(material)
        taken.append((time.perf_counter() - started, time.process_time() - busy))
        gc.unfreeze()
    return min(taken)


async def run(
    projection: Projection[Any], subscriptions: Subscriptions, views: WritableViews[Any]
) -> None:
    """Follow the events from the checkpoint on, until it has caught up."""
    runner = ProjectionRunner(projection, subscriptions, views, None)
    task = asyncio.create_task(runner.run())
    await until(lambda: runner.status().caught_up or task.done(), within=300, every=0.01)
    task.cancel()
    await asyncio.wait([task])


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
    main()
