"""While a batch is written the next one is folded: sooner done, and still one after the other."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.ports import Changed, Progress, Seen
from application.projections.failures import ProjectionFailed
from application.projections.folding import AT_A_TIME, fold, projected
from application.projections.projection import Projection
from application.projections.recent import RecentViews
from application.projections.runner import ProjectionRunner
from domain.values import Money
from infrastructure import memory
from tests.projection_specification import recorded
from tests.sample.accounts import Deposited
from tests.sample.read_models.balances import Balance, balances
from tests.sample.read_models.statements import statements
from tests.sample.service import SAMPLE
from tests.sample.transfers import TransferRequested
from tests.waiting import until


class Gated:
    """Views that write when the gate is open, but not ``refused``, and never find ``lost``."""

    def __init__(self, *, refused: str = "", lost: str = "") -> None:
        self._views, self._refused, self._lost = memory.Views(balances), refused, lost
        self.promise = self._views.promise
        self.checkpoint, self.find = self._views.checkpoint, self._views.find
        self.gate = asyncio.Event()
        self.loads: list[Collection[str]] = []
        self.saves: list[Collection[str]] = []  # begun

    async def load(self, keys: Collection[str]) -> Mapping[str, Seen[Balance]]:
        self.loads.append(set(keys))
        if self._lost in keys:
            await asyncio.Event().wait()
        return await self._views.load(keys)

    async def save(self, changed: Changed[Balance], **rest: Any) -> None:
        self.saves.append(set(changed))
        await self.gate.wait()
        if self._refused in changed:
            raise ValueError(f"{self._refused} cannot be kept")
        await self._views.save(changed, **rest)


def deposits(*accounts: str) -> Sequence[RecordedEvent]:
    """1 comes in on each."""
    return recorded(
        SAMPLE.catalogue,
        (
            (f"account-{account}", Deposited(deposit_id=f"d-{number}", amount=1))
            for number, account in enumerate(accounts)
        ),
    )


class LoadedStream:
    """Subscriptions to these events, after which nothing comes."""

    def __init__(self, events: Sequence[RecordedEvent]) -> None:
        self._events = events

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, only: EventFilter
    ) -> AsyncIterator[AsyncIterator[RecordedEvent | Progress]]:
        yield self._replay(-1 if after is None else after, only)

    async def _replay(
        self, after: int, only: EventFilter
    ) -> AsyncIterator[RecordedEvent | Progress]:
        for event in self._events:
            if event.position > after and event in only:
                yield event
        yield Progress(self._events[-1].position, caught_up=True)
        await asyncio.Event().wait()


@asynccontextmanager
async def following(
    views: Gated, events: Sequence[RecordedEvent]
) -> AsyncIterator[tuple[ProjectionRunner[Balance], asyncio.Task[None]]]:
    """A runner with batches of two, at work."""
    runner = ProjectionRunner(balances, LoadedStream(events), views, None, batch=2)  # type: ignore[arg-type]  # it has what the runner uses
    task = asyncio.create_task(runner.run())
    try:
        yield runner, task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_the_next_batch_is_folded_meanwhile() -> None:
    """It is on its way before the one before it is in; written it is after it, upon its views."""
    views = Gated()
    async with following(views, deposits("a", "b", "a", "c", "a")) as (runner, _):
        await until(lambda: len(views.loads) == 2)
        assert views.saves == [{"a", "b"}]
        assert views.loads == [{"a", "b"}, {"c"}], "what is being written is known"
        assert (runner.status().position, runner.status().events) == (-1, 0)
        assert runner.status().lag_seconds, "the oldest event that is not in is being written"

        views.gate.set()
        await until(lambda: runner.status().caught_up)

    assert views.saves == [{"a", "b"}, {"a", "c"}, {"a"}]
    found = {key: seen.view.balance for key, seen in await views.find(equal={})}
    assert found == {"a": 3, "b": 1, "c": 1}
    assert (await views.checkpoint(), runner.status().events) == (400, 5)


async def test_an_event_that_cannot_be_written_is_found() -> None:
    """Although the next batch was on its way: all before it is in, and nothing after."""
    views = Gated(refused="poison")
    views.gate.set()
    accounts = ("a", "b", "c", "poison", "d", "e", "f", "g")
    async with following(views, deposits(*accounts)) as (runner, task):
        with pytest.raises(ProjectionFailed, match=r"position 300: .*poison cannot be kept"):
            await asyncio.wait_for(task, 10)

    assert {key for key, _ in await views.find(equal={})} == {"a", "b", "c"}
    assert (await views.checkpoint(), runner.status().events) == (200, 3)


async def test_who_is_cancelled_leaves_nobody_writing() -> None:
    """When a runner has ended, so has its last write: the next runner has the views for itself."""
    views = Gated(lost="c")
    async with following(views, deposits("a", "b", "c", "d", "e")):
        await until(lambda: len(views.loads) == 2)

    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert await views.find(equal={}) == []


async def test_what_is_being_written_is_not_let_go_of() -> None:
    """However many others are loaded meanwhile: the store does not have it yet."""
    views, accounts = Gated(), ("a", "b", "c")
    recent = RecentViews[Balance](views, kept=1)  # type: ignore[arg-type]  # it has what is used
    changed = fold(balances, deposits(*accounts), {})
    recent.save(changed, checkpoint=200, expected=None)
    await recent.load(["x", "y", "z"])

    assert await recent.load(accounts) == changed
    assert views.loads == [{"x", "y", "z"}]

    views.gate.set()
    await recent.saved()
    assert await recent.load(accounts) == changed
    assert len(views.loads[1]) == 2, "one is kept"


def transfers(count: int) -> Sequence[RecordedEvent]:
    """Each between two accounts of its own."""
    free = Money.zero("EUR")
    requested = [
        TransferRequested(source=f"s-{number}", target=f"t-{number}", amount=1, fee=free)
        for number in range(count)
    ]
    return recorded(SAMPLE.catalogue, ((f"transfer-{event.source}", event) for event in requested))


MANY = 10 * AT_A_TIME


@pytest.mark.parametrize(
    ("projection", "events", "views", "turns_at_least"),
    [
        (balances, deposits(*map(str, range(MANY))), MANY, 10),
        (statements, transfers(MANY), 2 * MANY, 10 + 20),
    ],
    ids=["by events", "by parts"],
)
async def test_others_have_their_turn_while_a_large_batch_is_folded(
    projection: Projection[Any], events: Sequence[RecordedEvent], views: int, turns_at_least: int
) -> None:
    """An answer waits for a part of it only, and the batch before is sent on meanwhile."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    answering = asyncio.create_task(others())
    changed, _ = await projected(projection, events, memory.Views(projection))
    answering.cancel()

    assert len(changed) == views
    assert turns >= turns_at_least
