"""A read model in PostgreSQL catches up with the embedded EventStoreDB node, and lives with it.

The bare loop is esdbclient alone: it subscribes to the same events, and does nothing with them. A
million events come from memory, since only what the runner keeps is of interest then.
"""

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any
from uuid import uuid4

import psutil

from application.event_filter import EventFilter
from application.messages import Context, NewEvent, RecordedEvent
from application.ports import NO_STREAM, Progress, Subscriptions
from application.shop.read_models.stock_levels import stock_levels
from application.shop.service import SHOP
from domain.stock import StockReceived
from embedded_eventstoredb import NodeProcess
from infrastructure import eventstoredb, postgres
from tests.contracts.made_up import name
from tests.projection_specification import at
from tests.servers import empty_schema, postgres_server
from tests.shop.benchmarks.projections import live
from tests.shop.benchmarks.replayed import receipts, run

SKUS, EACH = 200, 200
EVENTS = SKUS * EACH
TURNS = 7
ROUND, ROUNDS = 50_000, 20


def main() -> None:
    """Measure and print; takes about two minutes."""
    with NodeProcess() as node, postgres_server() as server, empty_schema(server) as uri:
        asyncio.run(measure(node.uri, uri))


async def measure(node: str, uri: str) -> None:
    client = await eventstoredb.connect(node)
    store, subscriptions = (
        eventstoredb.EventStore(client, SHOP.catalogue),
        eventstoredb.Subscriptions(client, SHOP.catalogue),
    )
    for number in range(SKUS):
        await store.append(f"stock-{number}", received(EACH), NO_STREAM)
    async with postgres.pool(uri) as pool:
        await postgres.migrate(pool)
        views = postgres.Views(pool, stock_levels)
        await views.prepare()
        await beside_the_bare_loop(client, partial(caught_up, subscriptions, views))
        await live("node", pool, store, subscriptions)
        await flat(views)
    await client.close()


async def beside_the_bare_loop(
    client: eventstoredb.Client, ours: Callable[[], Awaitable[None]]
) -> None:
    """In turns; the best rate of each, and the median of the ratios."""
    gc.freeze()  # as the service does at its start; it is for both
    rates = [(await rate(partial(bare_loop, client)), await rate(ours)) for _ in range(TURNS)]
    bare, here = (max(side) for side in zip(*rates, strict=True))
    ratio = median(mine / its for its, mine in rates)
    print(f"catch-up: {here:,.0f} events/s; bare loop {bare:,.0f}; ratio {ratio:.2f}")


async def rate(work: Callable[[], Awaitable[None]]) -> float:
    started = time.perf_counter()
    await work()
    return EVENTS / (time.perf_counter() - started)


def received(count: int) -> Sequence[NewEvent]:
    """Small events."""
    context = Context.start("a benchmark", uuid4(), at(0))
    return [
        SHOP.catalogue.new_event(StockReceived(receipt_id=name("r"), quantity=1), uuid4(), context)
        for _ in range(count)
    ]


async def bare_loop(client: eventstoredb.Client) -> None:
    seen = 0
    types = sorted(stock_levels.events.types)
    async with await client.subscribe_to_all(filter_include=types, window_size=200) as events:
        async for _ in events:
            seen += 1
            if seen == EVENTS:
                return


async def caught_up(subscriptions: Subscriptions, views: postgres.Views[Any]) -> None:
    await views.clear()
    await run(stock_levels, subscriptions, views)


class Rounds:
    """Subscriptions to the same events over and over, each time at later positions."""

    def __init__(self, events: Sequence[RecordedEvent]) -> None:
        self._events = events
        self.held: list[int] = []  # bytes, at the end of each round

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, only: EventFilter
    ) -> AsyncIterator[AsyncIterator[RecordedEvent | Progress]]:
        assert after is None
        assert all(event in only for event in self._events)
        yield self._replay()

    async def _replay(self) -> AsyncIterator[RecordedEvent | Progress]:
        length = self._events[-1].position + 1
        for number in range(ROUNDS):
            for event in self._events:
                yield replace(event, position=event.position + number * length)
            self.held.append(psutil.Process(os.getpid()).memory_info().rss)
        yield Progress(ROUNDS * length, caught_up=True)
        await asyncio.Event().wait()


async def flat(views: postgres.Views[Any]) -> None:
    rounds = Rounds(receipts(ROUND, 2_000))
    await caught_up(rounds, views)
    first, last = rounds.held[0] / 2**20, rounds.held[-1] / 2**20
    print(f"memory after {ROUND:,} events: {first:.0f} MB; after {ROUND * ROUNDS:,}: {last:.0f} MB")


if __name__ == "__main__":
    main()
