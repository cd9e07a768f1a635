"""Two processes share the read models; one is killed, and the other takes over."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psutil

from application.command_dispatch import CommandDispatch
from application.messages import Context, RecordedEvent
from application.ports import Changed, EventStore, Subscriptions
from application.projections.builds import Standing
from application.projections.folding import fold
from application.shop.read_models.order_summary import OrderSummary, order_summary
from application.shop.service import SHOP
from domain.orders import OrderLine, PlaceOrder, ReturnedLine, ReturnLines
from domain.values import Money
from infrastructure import postgres as postgresql
from tests.projection_specification import at
from tests.shop.e2e.headwater import PATIENCE, serving
from tests.shop.stores import NOWHERE, opened
from tests.waiting import until_true

ORDERS = 400
LINE = OrderLine(sku="85123A", quantity=6, unit_price=Money.parse("2.55 GBP"))
BACK = ReturnLines(return_id="r-1", lines=(ReturnedLine(line=1, quantity=1),))


async def place(store: EventStore, first: int) -> None:
    """Orders from this number on, a unit of each comes back; no saga acts on orders of old."""
    dispatch = CommandDispatch(store, SHOP.catalogue)

    async def one(number: int) -> None:
        for command in (PlaceOrder(lines=(LINE,), from_history=True), BACK):
            await dispatch(f"{number:04}", command, Context.start("a test", uuid4(), at(number)))

    for start in range(first, first + ORDERS, 50):
        await asyncio.gather(*map(one, range(start, start + 50)))


async def standing_of(builds: postgresql.Builds) -> Standing:
    """Of the one build of order_summary."""
    (standing,) = await builds.standings(order_summary.name)
    return standing


def holder(standing: Standing) -> int | None:
    """The process that fills it, or did last."""
    report = standing.shards[0].report
    return int(report.holder.rpartition(":")[2]) if report else None


@contextmanager
def two_services(home: Path, **servers: str) -> Iterator[dict[int, psutil.Popen]]:
    """Two ``headwater serve`` on the same servers, by their process ids."""
    with serving(home / "one", **servers) as one, serving(home / "two", **servers) as two:
        yield {process.pid: process for process in (one, two)}


async def test_whoever_is_killed_is_replaced_and_nothing_is_lost(
    servers: Mapping[str, str], postgres: str, tmp_path: Path
) -> None:
    """`kill -9` in the midst of filling: another process goes on, and the views come out whole."""
    async with postgresql.pool(postgres) as pool, opened(servers) as container:
        await postgresql.migrate(pool)
        store, subscriptions = container.event_store(), container.subscriptions()
        builds = postgresql.Builds(pool)
        await builds.register([order_summary])
        await place(store, 0)
        with two_services(tmp_path, **servers, **NOWHERE) as services:
            await until_true(lambda: has_begun(builds), PATIENCE)
            placing = asyncio.create_task(place(store, ORDERS))
            killed = holder(await standing_of(builds))
            assert killed is not None
            services[killed].kill()
            died = time.perf_counter()

            async def taken_over() -> bool:
                return holder(await standing_of(builds)) in services.keys() - {killed}

            await until_true(taken_over, PATIENCE)
            print(f"taken over {time.perf_counter() - died:.1f} s after kill -9")
            await placing
            expected = await clean_run(subscriptions)

            async def complete() -> bool:
                return ((await standing_of(builds)).position or -1) >= expected.end

            await until_true(complete, PATIENCE)

        views = postgresql.Views(pool, order_summary)
        assert await views.load(list(expected.views)) == expected.views
        assert await views.count(equal={}) == 2 * ORDERS


async def has_begun(builds: postgresql.Builds) -> bool:
    return (await standing_of(builds)).events > 0


@dataclass(frozen=True)
class Expected:
    """What one clean run makes of all events that are there, and where the last of them is."""

    views: Changed[OrderSummary]
    end: int


async def clean_run(subscriptions: Subscriptions) -> Expected:
    events: list[RecordedEvent] = []
    following = subscriptions.catch_up(after=None, only=order_summary.events)
    async with following as messages:
        async for message in messages:
            if isinstance(message, RecordedEvent):
                events.append(message)
            elif message.caught_up:
                break
    return Expected(fold(order_summary, events, {}), events[-1].position)
