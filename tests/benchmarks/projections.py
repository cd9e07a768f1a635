"""The projection runner into PostgreSQL, beside a bare loop that only reads and decodes the events.

The bare loop is what nobody can do without; the ratio says what folding, loading, writing and
checkpointing cost on top of it. Events come from memory, so no event store takes part.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

from application.messages import Context, NewEvent, RecordedEvent
from application.ports import Progress, Views
from application.projections.order_summary import order_summary
from application.projections.projection import Projection
from application.projections.runner import ProjectionRunner
from application.projections.stock_levels import stock_levels
from domain.decider import Event
from domain.orders import OrderConfirmed, OrderLine, OrderPlaced
from domain.stock import StockReceived
from domain.values import Money
from infrastructure import memory, postgres
from tests.projection_specification import at, recorded
from tests.servers import empty_schema, postgres_server
from tests.waiting import until

LIVE = 200


def main() -> None:
    """Measure and print a table; takes about half a minute."""
    print(f"{'events/s':42}{'bare loop':>10}{'memory':>10}{'PostgreSQL':>12}{'ratio':>8}")
    with postgres_server() as server, empty_schema(server) as uri:
        asyncio.run(measure(uri))


async def measure(uri: str) -> None:
    async with postgres.pool(uri) as pool:
        await row("stock_levels, 60,000 receipts", pool, stock_levels, receipts(60_000, 2_000))
        await row("order_summary, 20,000 of 2 lines", pool, order_summary, orders(10_000, 2))
        await row("order_summary, 2,000 of 25 lines", pool, order_summary, orders(1_000, 25))
        delays = await live(pool)
    p50, p99 = (f"{delays[percent - 1] * 1e3:.1f} ms" for percent in (50, 99))
    print(f"{'append to visible, p50 and p99':42}{p50:>10}{p99:>10}")


def receipts(count: int, skus: int) -> Sequence[RecordedEvent]:
    """Small events, and many for each view."""
    return recorded(
        (f"stock-{number % skus}", StockReceived(receipt_id=f"r-{number}", quantity=1))
        for number in range(count)
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
    return recorded(steps + [(stream, OrderConfirmed()) for stream, _ in steps])


class Replay:
    """Subscriptions to a list; each event comes undecoded, as from a store."""

    def __init__(self, events: Sequence[RecordedEvent]) -> None:
        self._events = events

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, types: Collection[str]
    ) -> AsyncIterator[AsyncIterator[RecordedEvent | Progress]]:
        yield self._replay(-1 if after is None else after, types)

    async def _replay(
        self, after: int, types: Collection[str]
    ) -> AsyncIterator[RecordedEvent | Progress]:
        for event in self._events:
            if event.position > after and event.type in types:
                yield replace(event)
        yield Progress(self._events[-1].position, caught_up=True)
        await asyncio.Event().wait()


async def row(
    name: str, pool: postgres.Pool, projection: Projection[Any], events: Sequence[RecordedEvent]
) -> None:
    async def bare() -> None:
        async with Replay(events).catch_up(after=None, types=projection.types) as messages:
            async for message in messages:
                if isinstance(message, Progress):
                    return
                _ = message.event, message.metadata

    async def into_postgres() -> None:
        views = postgres.Views(pool, projection)
        await views.prepare()
        await views.clear()
        await run(projection, events, views)

    rates = [
        len(events) / await fastest(work)
        for work in (bare, lambda: run(projection, events, memory.Views(projection)), into_postgres)
    ]
    numbers = "".join(
        f"{rate:{width},.0f}" for rate, width in zip(rates, (10, 10, 12), strict=True)
    )
    print(f"{name:42}{numbers}{rates[2] / rates[0]:8.2f}")


async def fastest(work: Callable[[], Awaitable[None]]) -> float:
    """Seconds that the best of three takes."""
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        await work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


async def run(
    projection: Projection[Any], events: Sequence[RecordedEvent], views: Views[Any]
) -> None:
    runner = ProjectionRunner(projection, Replay(events), views, None)
    task = asyncio.create_task(runner.run())
    await until(lambda: runner.status().caught_up, within=300)
    task.cancel()
    await asyncio.wait([task])


async def live(pool: postgres.Pool) -> Sequence[float]:
    """Percentiles of the seconds from an append to its view, at 200 appends a second."""
    store, views = memory.EventStore(), postgres.Views(pool, stock_levels)
    await views.clear()
    runner = ProjectionRunner(stock_levels, memory.Subscriptions(store), views, None)
    task = asyncio.create_task(runner.run())
    delays = await asyncio.gather(*(one(store, runner, number) for number in range(LIVE)))
    task.cancel()
    await asyncio.wait([task])
    return statistics.quantiles(delays, n=100)


async def one(store: memory.EventStore, runner: ProjectionRunner[Any], number: int) -> float:
    await asyncio.sleep(number / 200)
    started = time.perf_counter()
    event = StockReceived(receipt_id=f"r-{number}", quantity=1)
    new = NewEvent.of(event, uuid4(), Context.start("a benchmark", uuid4(), at(0)))
    done = await store.append(f"stock-{number}", [new], -1)
    await until(lambda: (runner.status().position or 0) >= done.position)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
