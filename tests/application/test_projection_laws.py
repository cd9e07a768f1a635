"""The law of projections: whatever happens on the way, the views are those of one clean run."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import uuid4

import pytest  # only: postgres
from hypothesis import (
    HealthCheck,  # only: postgres
    given,
    settings,  # only: postgres
)
from hypothesis import strategies as st

from application.command_dispatch import CommandDispatch
from application.event_filter import EventFilter
from application.messages import Context, RecordedEvent
from application.ports import Changed, Progress, Seen, StoreUnavailable
from application.projections.folding import fold
from application.projections.runner import ProjectionRunner
from domain.decider import Command, DomainError
from infrastructure import memory
from infrastructure.postgres import Views as PostgresViews  # only: postgres
from infrastructure.postgres import migrate, pool  # only: postgres
from tests.filled import Filled
from tests.histories import law
from tests.projection_specification import at
from tests.sample.read_models.transfer_summary import TransferSummary, transfer_summary
from tests.sample.service import SAMPLE
from tests.sample.transfers import (
    ApproveTransfer,
    CancelTransfer,
    RemindOfTransfer,
    RequestTransfer,
)
from tests.waiting import until

_commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(
        RequestTransfer,
        source=st.just("x"),
        target=st.just("y"),
        amount=st.integers(1, 3),
    ),
    st.just(ApproveTransfer()),
    st.just(CancelTransfer(reason="dear")),
    st.builds(RemindOfTransfer, reminder_id=st.sampled_from(["r-1", "r-2", "r-3"])),
)
Histories = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), _commands), max_size=25)
"""Commands for three transfers; those that the domain refuses become no events."""


class Crashing:
    """What a runner needs of views, with a crash at the moments of these numbers.

    Every call has one or two such moments: before and after its work.
    """

    def __init__(self, views: Filled[TransferSummary], crashes: Mapping[int, bool]) -> None:
        self._views, self._crashes, self._calls = views, crashes, 0
        self.promise = views.promise

    async def checkpoint(self) -> int | None:
        return await self._views.checkpoint()

    async def load(self, keys: Collection[str]) -> Mapping[str, Seen[TransferSummary]]:
        loaded = await self._views.load(keys)
        await self._crash()
        return loaded

    async def save(
        self,
        changed: Changed[TransferSummary],
        **rest: Any,
    ) -> None:
        await self._crash()
        await self._views.save(changed, **rest)
        await self._crash()

    async def _crash(self) -> None:
        self._calls += 1
        match self._crashes.get(self._calls):
            case True:
                raise StoreUnavailable("away")
            case False:
                task = asyncio.current_task()
                assert task is not None  # it is awaited by one
                task.cancel()  # the process ends here
                await asyncio.sleep(0)


class Stuttering:
    """Subscriptions that deliver everything twice, and now and then all from the start."""

    def __init__(self, subscriptions: memory.Subscriptions) -> None:
        self._subscriptions = subscriptions

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, only: EventFilter
    ) -> AsyncIterator[AsyncIterator[RecordedEvent | Progress]]:
        again = None if after is None or after % 2 else after
        async with self._subscriptions.catch_up(after=again, only=only) as messages:
            yield self._twice(messages)

    async def _twice(
        self, messages: AsyncIterator[RecordedEvent | Progress]
    ) -> AsyncIterator[RecordedEvent | Progress]:
        async for message in messages:
            yield message
            if isinstance(message, RecordedEvent):
                yield message


async def store_of(history: Sequence[tuple[str, Command]]) -> memory.EventStore:
    """A store in which all that the domain did not refuse has happened."""
    store = memory.EventStore(SAMPLE.catalogue)
    dispatch = CommandDispatch(store, SAMPLE.catalogue)
    for number, (id, command) in enumerate(history):
        try:
            await dispatch(id, command, Context.start("a test", uuid4(), at(number)))
        except DomainError:
            continue
    return store


async def run_through(
    store: memory.EventStore, views: Filled[TransferSummary], crashes: Sequence[tuple[int, bool]]
) -> None:
    """Run the projection until it has seen everything, in small batches, crashing as told."""
    end = store.last_position
    for planned in [*([crash] for crash in crashes), list(crashes), []]:
        runner = ProjectionRunner(
            transfer_summary,
            Stuttering(memory.Subscriptions(store)),
            cast("Filled[TransferSummary]", Crashing(views, dict(planned))),
            None,
            batch=3,
            pause=lambda _: asyncio.sleep(0),
        )
        task = asyncio.create_task(runner.run())
        try:
            await until(lambda: task.done() or runner.status().position == end)  # noqa: B023  # used at once
        finally:
            task.cancel()
            await asyncio.wait([task])


async def agrees(
    views: Filled[TransferSummary],
    history: Sequence[tuple[str, Command]],
    crashes: Sequence[tuple[int, bool]],
) -> None:
    store = await store_of(history)

    await run_through(store, views, crashes)

    expected = fold(transfer_summary, store.after(-1, 1000), {})
    assert await views.load(["a", "b", "c"]) == expected
    if expected:
        assert await views.checkpoint() == store.last_position


Crashes = st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=4)
"""At which call, and whether only the database went away (or the process with it)."""


@law(200)
@given(Histories, Crashes)
async def test_crashes_and_duplicates_leave_no_trace_in_memory(
    history: Sequence[tuple[str, Command]], crashes: Sequence[tuple[int, bool]]
) -> None:
    """Duplicates, restarts at batch boundaries, crashes around load and save: the same views."""
    await agrees(memory.Views(transfer_summary), history, crashes)


# only: postgres
@pytest.fixture
async def views(postgres: str) -> AsyncIterator[Filled[TransferSummary]]:
    async with pool(postgres) as connections:
        await migrate(connections)
        views = PostgresViews(connections, transfer_summary)
        await views.prepare()
        yield views


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # cleared for each example
)
@given(Histories, Crashes)
async def test_crashes_and_duplicates_leave_no_trace_in_postgresql(
    views: Filled[TransferSummary],
    history: Sequence[tuple[str, Command]],
    crashes: Sequence[tuple[int, bool]],
) -> None:
    """The same law where views and checkpoint are rows of two tables."""
    await views.clear()
    await agrees(views, history, crashes)


# end: postgres
