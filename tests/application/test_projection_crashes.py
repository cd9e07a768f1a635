"""A runner that dies at any await and is started again: the views of one clean run. At every one.

Where a runner may die: wherever it waits for anything, and just before and after each call of the
views. All these moments are tried, one after the other, until a run gets through without dying.
"""

import asyncio
from collections import Counter
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, cast
from uuid import uuid4

import pytest

from application.category import split
from application.messages import Context
from application.ports import Builds, ReadModels
from application.projections.builds import Build
from application.projections.projection import Projection
from application.projections.runner import ProjectionRunner
from domain.decider import Event
from domain.values import Money
from infrastructure import memory
from infrastructure import postgres as postgresql  # only: postgres
from tests.filled import IN_MEMORY, Filled
from tests.projection_specification import at
from tests.sample.accounts import Deposited, Held
from tests.sample.read_models.daily_transfers import daily_transfers
from tests.sample.read_models.payee_search import payee_search
from tests.sample.read_models.statements import statements
from tests.sample.read_models.transfer_summary import transfer_summary
from tests.sample.service import SAMPLE
from tests.sample.transfers import (
    TransferApproved,
    TransferCancelled,
    TransferReminded,
    TransferRequested,
)
from tests.waiting import until

BATCH = 2


def requested(target: str) -> TransferRequested:
    fee = Money.parse("2.55 EUR")
    return TransferRequested(source="a", target=target, amount=6, fee=fee, note="for the rent")


HISTORY: list[tuple[str, Event]] = [
    ("transfer-1", requested("b")),
    ("transfer-2", requested("c")),
    ("transfer-1", TransferApproved()),
    ("account-a", Deposited(deposit_id="d", amount=9)),
    ("account-a", Held(transfer_id="1", amount=6)),
    ("transfer-1", TransferReminded(reminder_id="r")),
    ("transfer-2", TransferCancelled(reason="no")),
]


async def store_of(history: Sequence[tuple[str, Event]]) -> memory.EventStore:
    """A store in which this has happened."""
    store, versions = memory.EventStore(SAMPLE.catalogue), Counter[str]()
    for minute, (stream, event) in enumerate(history):
        new = SAMPLE.catalogue.new_event(
            event, uuid4(), Context.start("a test", uuid4(), at(minute))
        )
        await store.append(stream, [new], versions[stream] - 1)
        versions[stream] += 1
    return store


@dataclass(frozen=True)
class Books:
    """Where the views of one projection are, and how far they have come."""

    projection: Projection[Any]
    builds: Builds
    read_models: ReadModels

    @property
    def views(self) -> Filled[Any]:
        build = Build(self.projection.name, self.projection.version)
        return cast("Filled[Any]", self.read_models.of(self.projection, build))

    async def content(self) -> Mapping[str, object]:
        """All that is in them: views, parts, the checkpoint, and how many events were taken in."""
        views, (standing,) = self.views, await self.builds.standings(self.projection.name)
        parts = await views.load_parts(["1", "2"]) if self.projection.parts else {}
        return {
            "views": await views.load(["1", "2", "a", "b", "17850"]),
            "parts": parts,
            "position": standing.position,
            "events": standing.events,
        }


@pytest.fixture(
    params=[
        *IN_MEMORY,
        "postgresql",  # only: postgres
    ]
)
async def books(
    request: pytest.FixtureRequest,
) -> AsyncIterator[Callable[[Projection[Any]], Awaitable[Books]]]:
    """Books of any projection: in memory, in both forms of the promise, and in a database."""

    async def ready(books: Books) -> Books:
        await books.builds.register([books.projection])
        await books.views.prepare()
        return books

    if kind := IN_MEMORY.get(request.param):

        async def in_memory(projection: Projection[Any]) -> Books:
            builds = memory.Builds()
            return await ready(Books(projection, builds, kind([projection], builds)))

        yield in_memory
        return
    # only: postgres
    async with postgresql.pool(request.getfixturevalue("postgres")) as pool:
        await postgresql.migrate(pool)

        async def in_postgresql(projection: Projection[Any]) -> Books:
            builds = postgresql.Builds(pool)
            read_models = postgresql.ReadModels(pool, [projection], builds)
            return await ready(Books(projection, builds, read_models))

        yield in_postgresql
    # end: postgres


class Mortal:
    """Runs a coroutine that is cancelled at the n-th await, as if its process ended there.

    The awaits of the tasks that it starts are counted with its own.
    """

    def __init__(self, work: Coroutine[Any, Any, None], moment: int | None) -> None:
        self._work, self._moment, self._awaits = work, moment, 0

    @property
    def has_died(self) -> bool:
        return self._moment is not None and self._awaits >= self._moment

    async def live(self) -> None:
        loop = asyncio.get_running_loop()
        self._task = cast("asyncio.Task[None]", asyncio.current_task())
        loop.set_task_factory(self._start)
        try:
            await self._counted(self._work)
        finally:
            loop.set_task_factory(None)

    def _start(self, _: object, work: Any, **options: Any) -> "asyncio.Task[Any]":
        task = asyncio.Task(self._counted(work), **options)
        task.add_done_callback(lambda _: work.close())  # it may have ended before its first step
        return task

    async def _counted(self, work: Any) -> Any:
        return await Awaits(work, self._count)

    def _count(self) -> None:
        self._awaits += 1
        if self._awaits == self._moment:
            self._task.cancel()


@dataclass(frozen=True)
class Awaits:
    """A coroutine, and what is called at each of its awaits."""

    work: Coroutine[Any, Any, Any]
    call: Callable[[], None]

    def __await__(self) -> Generator[Any, None, Any]:
        steps, thrown = self.work.__await__(), None
        while True:
            try:
                waited_for = steps.throw(thrown) if thrown else steps.send(None)
            except StopIteration as done:
                return done.value
            self.call()
            try:
                thrown = None
                yield waited_for
            except BaseException as error:  # handed on to whom it is meant for
                thrown = error


class Waiting:
    """Views that wait before and after each call, so that a runner can die there."""

    def __init__(self, views: Filled[Any]) -> None:
        self.promise = views.promise
        for name in ("checkpoint", "load", "load_parts", "save"):
            setattr(self, name, _around(getattr(views, name)))


def _around(call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def waiting(*args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        answer = await call(*args, **kwargs)
        await asyncio.sleep(0)
        return answer

    return waiting


async def run(store: memory.EventStore, books: Books, *, dying_at: int | None = None) -> bool:
    """Run until all events are in the views, or it has died: whether it has."""
    views = cast("Filled[Any]", Waiting(books.views))
    subscriptions = memory.Subscriptions(store)
    runner = ProjectionRunner(books.projection, subscriptions, views, None, batch=BATCH)
    mortal = Mortal(runner.run(), dying_at)
    async with _started(mortal.live()) as task:
        await until(lambda: task.done() or runner.status().position == store.last_position)
        return mortal.has_died


@asynccontextmanager
async def _started(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def leaves_no_trace(store: memory.EventStore, kept: Books, step: int = 1) -> None:
    """Dying at each await (or each ``step``-th), and then running, gives what there is now."""
    expected = await kept.content()
    for moment in count(1, step):
        await kept.views.clear()
        died = await run(store, kept, dying_at=moment)
        await run(store, kept)
        assert await kept.content() == expected, f"died at await {moment}"
        if not died:
            break
    assert moment > 4 * len(HISTORY) / BATCH, "there were many moments"


@pytest.mark.parametrize(
    "projection",
    [transfer_summary, statements, payee_search, daily_transfers],
    ids=lambda one: one.name,
)
async def test_dying_at_any_await_leaves_no_trace(
    projection: Projection[Any], books: Callable[[Projection[Any]], Awaitable[Books]]
) -> None:
    """Views, parts, checkpoint and count, after one death and a restart: those of a clean run."""
    store, kept = await store_of(HISTORY), await books(projection)
    await run(store, kept)
    followed = [
        stream
        for stream, _ in HISTORY
        if split(stream)[0] in {of.name for of in projection.follows}
    ]
    assert (await kept.content())["events"] == len(followed)

    await leaves_no_trace(store, kept)
