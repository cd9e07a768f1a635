"""A projection that is split by key, over two hosts: order is kept, and nobody is missed."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, cast
from uuid import uuid4

import pytest

from application.command_dispatch import CommandDispatch
from application.messages import Context, RecordedEvent
from application.ports import Builds, ReadModels, StoreUnavailable
from application.projections.hosting import ProjectionHost
from application.projections.projection import Projection, View
from infrastructure import (
    memory,
    postgres,  # only: postgres
)
from tests.filled import IN_MEMORY
from tests.projection_specification import at
from tests.sample.accounts import Deposit
from tests.sample.read_models.balances import balances
from tests.sample.service import SAMPLE
from tests.waiting import until_true

ACCOUNTS = [f"account-{number}" for number in range(16)]
ROUNDS = 5
SHARDS = 4


class Trail(View):
    versions: tuple[int, ...] = ()  # of its stream, in the order they came


def _follow(trail: Trail | None, recorded: RecordedEvent) -> Trail:
    return Trail(versions=(*(trail or Trail()).versions, recorded.version))


trails = Projection(
    name="trails",
    version=1,
    view=Trail,
    follows=balances.follows,
    keys=lambda recorded: (recorded.stream_id,),
    evolve=_follow,
    shards=SHARDS,
)


class Killed:
    """The books of a host that dies: it does not get to give its leases up."""

    def __init__(self, builds: Builds) -> None:
        self._builds = builds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._builds, name)

    async def release(self, *_: object) -> None:
        raise StoreUnavailable("the process is gone")


@asynccontextmanager
async def running(host: ProjectionHost) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(host.run())
    try:
        yield task
    finally:
        await ended(task)


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def receive(log: memory.EventStore, first: int) -> None:
    dispatch = CommandDispatch(log, SAMPLE.catalogue)
    for number in range(first, first + ROUNDS):
        for account in ACCOUNTS:
            command = Deposit(deposit_id=f"r-{number}", amount=1)
            await dispatch(account, command, Context.start("a test", uuid4(), at(number)))


@pytest.fixture(
    params=[
        *IN_MEMORY,
        "postgres",  # only: postgres
    ]
)
async def books(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Builds, ReadModels]]:
    if models := IN_MEMORY.get(request.param):
        kept = memory.Builds()
        yield kept, models([trails], kept)
        return
    # only: postgres
    async with postgres.pool(request.getfixturevalue("postgres")) as pool:
        await postgres.migrate(pool)
        builds = postgres.Builds(pool)
        yield builds, postgres.ReadModels(pool, [trails], builds)
    # end: postgres


async def test_shards_over_two_hosts_show_what_one_would(books: tuple[Builds, ReadModels]) -> None:
    """Each host fills half; one dies, the other takes all; each key sees its events in order."""
    builds, read_models = books
    log = memory.EventStore(SAMPLE.catalogue)
    await builds.register([trails])
    await receive(log, 0)

    def host(holder: str, its: Builds) -> ProjectionHost:
        following = memory.Subscriptions(log)
        return ProjectionHost(
            [trails], following, read_models, its, None, holder=holder, lease=3.0, tick=0.05
        )

    one, two = host("one", cast("Builds", Killed(builds))), host("two", builds)
    for _ in range(SHARDS // 2):
        await one.look()
        await two.look()
    halves = one.statuses().keys(), two.statuses().keys()
    assert [len(half) for half in halves] == [2, 2]
    assert not halves[0] & halves[1]

    async def shown() -> Mapping[str, tuple[int, ...]]:
        loaded = await (await read_models.live(trails)).load(ACCOUNTS)
        return {key: seen.view.versions for key, seen in loaded.items() if seen}

    async def all_shown(rounds: int) -> bool:
        return await shown() == dict.fromkeys(ACCOUNTS, tuple(range(rounds)))

    async with running(one) as dying, running(two):
        await until_true(lambda: all_shown(ROUNDS))
        await ended(dying)
        await receive(log, ROUNDS)
        await until_true(lambda: all_shown(2 * ROUNDS))
        assert len(two.statuses()) == SHARDS
