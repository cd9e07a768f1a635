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
from application.projections.builds import BuildStanding
from application.projections.folding import fold
from infrastructure import postgres as postgresql
from tests.e2e.bank import BANK
from tests.e2e.command_line import PATIENCE
from tests.projection_specification import at
from tests.sample.accounts import Deposit
from tests.sample.read_models.balances import Balance, balances
from tests.sample.service import SAMPLE
from tests.stores import opened
from tests.waiting import until_true

ACCOUNTS = 400


async def deposit(store: EventStore, first: int) -> None:
    """Twice on each account from this number on."""
    dispatch = CommandDispatch(store, SAMPLE.catalogue)

    async def one(number: int) -> None:
        for id in ("d-1", "d-2"):
            context = Context.start("a test", uuid4(), at(number))
            await dispatch(f"{number:04}", Deposit(deposit_id=id, amount=1), context)

    for start in range(first, first + ACCOUNTS, 50):
        await asyncio.gather(*map(one, range(start, start + 50)))


async def standing_of(builds: postgresql.Builds) -> BuildStanding:
    """Of the one build of balances."""
    (standing,) = await builds.standings(balances.name)
    return standing


def holder(standing: BuildStanding) -> int | None:
    """The process that fills it, or did last."""
    report = standing.shards[0].report
    return int(report.holder.rpartition(":")[2]) if report else None


@contextmanager
def two_services(home: Path, **servers: str) -> Iterator[dict[int, psutil.Popen]]:
    """Two ``serve`` on the same servers, by their process ids."""
    one, two = (BANK.serving(home / name, **servers) for name in ("one", "two"))
    with one as one_process, two as two_process:
        yield {process.pid: process for process in (one_process, two_process)}


async def test_whoever_is_killed_is_replaced_and_nothing_is_lost(
    servers: Mapping[str, str], postgres: str, tmp_path: Path
) -> None:
    """`kill -9` in the midst of filling: another process goes on, and the views come out whole."""
    async with postgresql.pool(postgres) as pool, opened(servers) as container:
        await postgresql.migrate(pool)
        store, subscriptions = container.event_store(), container.subscriptions()
        builds = postgresql.Builds(pool)
        await builds.register([balances])
        await deposit(store, 0)
        with two_services(tmp_path, **servers) as services:
            await until_true(lambda: has_begun(builds), PATIENCE)
            depositing = asyncio.create_task(deposit(store, ACCOUNTS))
            killed = holder(await standing_of(builds))
            assert killed is not None
            services[killed].kill()
            died = time.perf_counter()

            async def taken_over() -> bool:
                return holder(await standing_of(builds)) in services.keys() - {killed}

            await until_true(taken_over, PATIENCE)
            print(f"taken over {time.perf_counter() - died:.1f} s after kill -9")
            await depositing
            expected = await clean_run(subscriptions)

            async def complete() -> bool:
                return ((await standing_of(builds)).position or -1) >= expected.end

            await until_true(complete, PATIENCE)

        views = postgresql.Views(pool, balances)
        assert await views.load(list(expected.views)) == expected.views
        assert await views.count(equal={}) == 2 * ACCOUNTS


async def has_begun(builds: postgresql.Builds) -> bool:
    return (await standing_of(builds)).events > 0


@dataclass(frozen=True)
class Expected:
    """What one clean run makes of all events that are there, and where the last of them is."""

    views: Changed[Balance]
    end: int


async def clean_run(subscriptions: Subscriptions) -> Expected:
    events: list[RecordedEvent] = []
    following = subscriptions.catch_up(after=None, only=balances.events)
    async with following as messages:
        async for message in messages:
            if isinstance(message, RecordedEvent):
                events.append(message)
            elif message.caught_up:
                break
    return Expected(fold(balances, events, {}), events[-1].position)
