"""The runner: in order, once, in step with the checkpoint, whatever breaks on the way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from application.claim_check import ClaimCheck
from application.claimed_once import ClaimedOnce
from application.event_filter import EventFilter
from application.messages import Context, RecordedEvent
from application.ports import Changed, Progress, Seen, StoreUnavailable
from application.projections.failures import ProjectionFailed
from application.projections.runner import (
    APART,
    FAR_APART,
    ProjectionRunner,
)
from application.projections.status import Progressing, State
from domain.decider import Event
from domain.values import Money
from infrastructure import memory
from tests.filled import Filled
from tests.projection_specification import at
from tests.sample.accounts import Deposited
from tests.sample.read_models.transfer_summary import TransferSummary, transfer_summary
from tests.sample.service import SAMPLE
from tests.sample.transfers import (
    TransferApproved,
    TransferCancelled,
    TransferReminded,
    TransferRequested,
    TransferStatus,
)
from tests.virtual_time import in_virtual_time
from tests.waiting import until

Message = RecordedEvent | Progress
T = TypeVar("T")

FEE = Money.parse("2.55 EUR")
LONG = "a long story " * 5_000
DEPOSITED = Deposited(deposit_id="d", amount=1)


def requested(note: str = "for the rent") -> TransferRequested:
    return TransferRequested(source="a", target="b", amount=6, fee=FEE, note=note)


def reminded(number: int) -> TransferReminded:
    return TransferReminded(reminder_id=f"r-{number}")


@dataclass
class Bank:
    """A memory store with payloads beside it, and the views of one projection."""

    log: memory.EventStore = field(default_factory=lambda: memory.EventStore(SAMPLE.catalogue))
    payloads: memory.PayloadStore = field(default_factory=memory.PayloadStore)
    views: Filled[TransferSummary] = field(default_factory=lambda: memory.Views(transfer_summary))
    versions: dict[str, int] = field(default_factory=dict)

    @property
    def subscriptions(self) -> memory.Subscriptions:
        return memory.Subscriptions(self.log)

    async def record(self, id: str, *events: Event, category: str = "transfer") -> None:
        store, stream = ClaimCheck(self.log, self.payloads), f"{category}-{id}"
        context = Context.start("a test", uuid4(), at(0))
        new = [SAMPLE.catalogue.new_event(event, uuid4(), context) for event in events]
        done = await store.append(stream, new, self.versions.get(stream, -1))
        self.versions[stream] = done.version

    def runner(self, **options: object) -> ProjectionRunner[TransferSummary]:
        given = {"subscriptions": self.subscriptions, "views": self.views} | options
        return ProjectionRunner(transfer_summary, claims=ClaimedOnce(self.payloads), **given)  # type: ignore[arg-type]  # options are the runner's own

    async def all_views(self) -> Mapping[str, Seen[TransferSummary]]:
        found = await self.views.find(equal={}, limit=10_000)
        return await self.views.load([key for key, _ in found])


@pytest.fixture
def bank() -> Bank:
    return Bank()


@asynccontextmanager
async def running(runner: ProjectionRunner[TransferSummary]) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(runner.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def caught_up(runner: ProjectionRunner[TransferSummary], bank: Bank) -> None:
    """The runner has seen the last event of the store."""
    await until(
        lambda: runner.status().caught_up and runner.status().position == bank.log.last_position
    )


async def at_once(_attempt: int) -> None:
    await asyncio.sleep(0)


async def test_past_and_future_events_become_views(bank: Bank) -> None:
    """A runner takes in what there is, and then each event as it comes."""
    await bank.record("1", requested(), TransferApproved())
    runner = bank.runner()

    async with running(runner):
        await caught_up(runner, bank)
        assert (await bank.all_views())["1"].view.status is TransferStatus.APPROVED

        await bank.record("2", requested())
        await caught_up(runner, bank)

    assert set(await bank.all_views()) == {"1", "2"}
    assert await bank.views.checkpoint() == bank.log.last_position


async def test_a_restart_continues_behind_the_checkpoint(bank: Bank) -> None:
    """What is in the views already is not read again."""
    await bank.record("1", requested(), TransferApproved())
    first = bank.runner()
    async with running(first):
        await caught_up(first, bank)
    await bank.record("1", TransferCancelled(reason="too late"))

    second = bank.runner()
    async with running(second):
        await caught_up(second, bank)

    assert (first.status().events, second.status().events) == (2, 1)
    assert (await bank.all_views())["1"].view.status is TransferStatus.CANCELLED


async def test_events_of_others_move_the_checkpoint_too(bank: Bank) -> None:
    """A store full of other events need not be read through again after a restart."""
    for id in range(300):
        await bank.record(str(id), DEPOSITED, category="account")
    runner = bank.runner()

    async with running(runner):
        await caught_up(runner, bank)
        await until(lambda: runner.status().events == 0)

    assert (await bank.views.checkpoint() or 0) > 0
    assert await bank.all_views() == {}


async def test_an_empty_store_is_caught_up_with(bank: Bank) -> None:
    """With nothing to do the projection is live, and has no checkpoint to speak of."""
    runner = bank.runner()

    async with running(runner):
        await until(lambda: runner.status().caught_up)

    assert await bank.views.checkpoint() is None


class Counted:
    """Views that note how many events each save took in."""

    def __init__(self, views: Filled[TransferSummary], delay: float = 0.0) -> None:
        self._views, self._delay, self.saves = views, delay, list[int]()
        self.checkpoint, self.load = views.checkpoint, views.load
        self.promise = views.promise

    async def save(
        self,
        changed: Changed[TransferSummary],
        **rest: Any,
    ) -> None:
        await asyncio.sleep(self._delay)
        await self._views.save(changed, **rest)
        self.saves.append(len(changed))


class Dripping:
    """Subscriptions whose messages come one by one, a moment apart."""

    def __init__(self, subscriptions: memory.Subscriptions) -> None:
        self._subscriptions = subscriptions

    @asynccontextmanager
    async def catch_up(self, **options: Any) -> AsyncIterator[AsyncIterator[Message]]:
        async with self._subscriptions.catch_up(**options) as messages:
            yield self._drip(messages)

    async def _drip(self, messages: AsyncIterator[Message]) -> AsyncIterator[Message]:
        async for message in messages:
            await asyncio.sleep(APART / 5)
            yield message


def test_a_long_past_is_read_in_full_batches(bank: Bank) -> None:
    """As long as there is enough, a batch is full: few transactions for many events."""
    views = Counted(bank.views)
    runner = bank.runner(views=views, batch=100)

    async def story() -> None:
        for id in range(1_000):
            await bank.record(f"{id:04}", requested())
        async with running(runner):
            await caught_up(runner, bank)

    in_virtual_time(story())
    assert sum(views.saves) == 1_000
    assert len(views.saves) <= 12
    assert max(views.saves) <= 100


async def test_a_past_that_comes_in_drops_is_collected_for_longer(bank: Bank) -> None:
    """Until it has caught up nobody waits for a single event: few transactions will do."""
    for id in range(100):
        await bank.record(str(id), requested())
    views = Counted(bank.views)
    runner = bank.runner(views=views, subscriptions=Dripping(bank.subscriptions))
    now = asyncio.get_running_loop().time
    started = now()

    async with running(runner):
        await until(lambda: runner.status().position == bank.log.last_position)
        transactions_at_most = (now() - started) / FAR_APART + 2

    assert sum(views.saves) == 100
    assert len(views.saves) <= transactions_at_most


def test_a_stream_of_events_is_collected_and_a_single_one_is_not(bank: Bank) -> None:
    """Alone, an event is in its view at once; in a crowd, many share one transaction."""
    views, waited = Counted(bank.views), list[float]()
    runner = bank.runner(views=views)

    async def story() -> float:
        now = asyncio.get_running_loop().time
        async with running(runner):
            await until(lambda: runner.status().caught_up)
            for id in range(5):
                await asyncio.sleep(2 * APART)  # a quiet moment
                alone = now()
                await bank.record(f"alone-{id}", requested())
                await caught_up(runner, bank)
                waited.append(now() - alone)
            crowd = now()
            for id in range(200):
                await bank.record(str(id), requested())
            await caught_up(runner, bank)
            return now() - crowd

    took = in_virtual_time(story())
    assert max(waited) < APART
    assert len(views.saves) - len(waited) <= took / APART + 2


async def test_large_events_are_claimed(bank: Bank) -> None:
    """An event whose data is kept elsewhere becomes a view like any other."""
    await bank.record("large", requested(LONG))
    await bank.record("small", requested())
    runner = bank.runner()

    async with running(runner):
        await caught_up(runner, bank)

    views = await bank.all_views()
    assert (views["large"].view.note, views["small"].view.note) == (LONG, "for the rent")


async def test_a_missing_payload_stops_the_projection_there(bank: Bank) -> None:
    """Data that is lost is never passed off as an empty transfer."""
    await bank.record("small", requested())
    await bank.record("large", requested(LONG))
    bank.payloads = memory.PayloadStore()
    runner = bank.runner()

    with pytest.raises(ProjectionFailed, match=r"transfer-large@0.*PayloadUnavailable"):
        await runner.run()

    assert set(await bank.all_views()) == {"small"}


async def test_a_poison_event_stops_its_projection_and_says_where(bank: Bank) -> None:
    """All before the event is in, nothing after it; name, position, id and cause are told."""
    await bank.record("1", requested(), TransferApproved())
    await bank.record("ghost", TransferApproved())
    await bank.record("2", requested())
    poison = bank.log.after(-1, 10)[2]
    runner = bank.runner()

    with pytest.raises(ProjectionFailed) as caught:
        await runner.run()

    failed = caught.value
    assert (failed.name, failed.position, failed.event_id) == (
        "transfer_summary",
        poison.position,
        poison.id,
    )
    assert failed.error.startswith("LookupError: ")
    assert set(await bank.all_views()) == {"1"}
    assert (await bank.all_views())["1"].view.status is TransferStatus.APPROVED
    status = runner.status()
    assert (status.state, status.events) == (State.FAILED, 2)
    assert "transfer_summary stopped at position" in (status.last_error or "")
    assert status.lag_seconds is not None
    assert status.lag_seconds > 0


async def test_a_failed_projection_fails_again_at_the_same_event(bank: Bank) -> None:
    """A restart neither skips the event nor takes anything in twice."""
    await bank.record("1", requested())
    await bank.record("ghost", TransferApproved())
    positions = []
    for _ in range(2):
        with pytest.raises(ProjectionFailed) as caught:
            await bank.runner().run()
        positions.append(caught.value.position)

    assert positions[0] == positions[1]
    assert (await bank.all_views())["1"].view.version == 0


class Breaking:
    """Subscriptions that break after every few messages, and repeat some when they are back."""

    def __init__(self, subscriptions: memory.Subscriptions, every: int, back: int) -> None:
        self._subscriptions, self._every, self._back = subscriptions, every, back

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, only: EventFilter
    ) -> AsyncIterator[AsyncIterator[Message]]:
        again = None if after is None or self._back == 0 else max(after - self._back, -1)
        async with self._subscriptions.catch_up(after=again, only=only) as messages:
            yield self._some(messages, after)

    async def _some(
        self, messages: AsyncIterator[Message], after: int | None
    ) -> AsyncIterator[Message]:
        left = self._every
        async for message in messages:
            yield message
            left -= after is None or message.position > after
            if left < 0:
                raise StoreUnavailable("the line is dead")


@pytest.mark.parametrize("back", [0, 10**6])
async def test_a_broken_subscription_is_taken_up_again(bank: Bank, back: int) -> None:
    """However often the connection breaks, and whatever comes twice, each event counts once."""
    await bank.record("1", requested(), TransferApproved())
    for number in range(5):
        await bank.record("1", reminded(number))
    breaking = Breaking(bank.subscriptions, every=2, back=back)
    runner = bank.runner(subscriptions=breaking, batch=2, pause=at_once)

    async with running(runner):
        await until(lambda: runner.status().position == bank.log.last_position)

    assert (await bank.all_views())["1"].view.reminders == 5
    assert runner.status().events == 7
    assert runner.status().last_error == "the line is dead"


class Failing:
    """Views that do not answer at the calls of these numbers, before or after they did the work."""

    def __init__(
        self, views: Filled[TransferSummary], failures: Collection[int], late: bool
    ) -> None:
        self._views, self._failures, self._late = views, failures, late
        self.promise, self.calls = views.promise, 0

    async def checkpoint(self) -> int | None:
        return await self._answer(self._views.checkpoint)

    async def load(self, keys: Collection[str]) -> Mapping[str, Seen[TransferSummary]]:
        return await self._answer(lambda: self._views.load(keys))

    async def save(
        self,
        changed: Changed[TransferSummary],
        **rest: Any,
    ) -> None:
        await self._answer(lambda: self._views.save(changed, **rest))

    async def _answer(self, call: Callable[[], Awaitable[T]]) -> T:
        self.calls += 1
        number = self.calls
        if number in self._failures and not self._late:
            raise StoreUnavailable("no answer")
        answer = await call()
        if number in self._failures:
            raise StoreUnavailable("the answer was lost")
        return answer


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("call", range(1, 6))
async def test_views_that_do_not_answer_are_asked_again(bank: Bank, call: int, late: bool) -> None:
    """A call that fails before or after it did its work leads to the same views."""
    await bank.record("1", requested(), TransferApproved(), TransferCancelled(reason="no"))
    await bank.record("2", requested())
    failing = Failing(bank.views, {call, call + 1}, late)
    runner = bank.runner(views=failing, batch=2, pause=at_once)

    async with running(runner):
        await caught_up(runner, bank)

    views = await bank.all_views()
    assert {key: (seen.view.version, seen.view.status) for key, seen in views.items()} == {
        "1": (2, TransferStatus.CANCELLED),
        "2": (0, TransferStatus.REQUESTED),
    }
    assert failing.calls > call, "the failure was part of the story"


async def test_two_runners_of_one_projection_do_no_harm(bank: Bank) -> None:
    """They compete for the checkpoint; whoever loses looks again, and no event counts twice."""
    runners = [bank.runner(batch=3, pause=at_once) for _ in range(2)]
    await bank.record("1", requested())
    async with running(runners[0]), running(runners[1]):
        for number in range(6):
            await bank.record("1", reminded(number))
        for runner in runners:
            await until(lambda at=runner: at.status().position == bank.log.last_position)  # type: ignore[misc]  # mypy cannot infer the default's type

    assert (await bank.all_views())["1"].view.reminders == 6


async def test_a_runner_can_be_cancelled_at_any_point(bank: Bank) -> None:
    """Cancelled after any number of turns and started again, the views are those of one run."""
    for id in range(4):
        await bank.record(str(id), requested(), TransferApproved())
    runner = bank.runner()
    async with running(runner):
        await caught_up(runner, bank)
    expected = await bank.all_views()

    for turns in range(60):
        bank.views = memory.Views(transfer_summary)
        async with running(bank.runner(batch=3)):
            for _ in range(turns):
                await asyncio.sleep(0)
        last = bank.runner(batch=3)
        async with running(last):
            await caught_up(last, bank)

        assert await bank.all_views() == expected


async def test_what_a_runner_says_of_itself(bank: Bank) -> None:
    """Stopped, live, stopped: and the lag is unknown whenever nobody follows the events."""
    runner = bank.runner()
    assert (runner.status().state, runner.status().lag_seconds) == (State.STOPPED, None)

    async with running(runner):
        await caught_up(runner, bank)
        assert runner.status().lag_seconds == 0.0

    assert (runner.status().state, runner.status().lag_seconds) == (State.STOPPED, None)


class Told:
    """Subscriptions that say what they are told to say, and then nothing."""

    def __init__(self, *messages: Message) -> None:
        self._messages = messages

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, only: EventFilter
    ) -> AsyncIterator[AsyncIterator[Message]]:
        yield self._tell(-1 if after is None else after, only)

    async def _tell(self, after: int, only: EventFilter) -> AsyncIterator[Message]:
        for message in self._messages:
            if message.position > after and (isinstance(message, Progress) or message in only):
                yield message
        await asyncio.Event().wait()


async def test_progress_on_the_way_does_not_end_being_live(bank: Bank) -> None:
    """A server tells now and then how far it has looked, also when nothing is missing."""
    told = Told(Progress(7, caught_up=True), Progress(300, caught_up=False))
    runner = bank.runner(subscriptions=told, batch=1)

    async with running(runner):
        await until(lambda: runner.status().position == 300)
        await until(lambda: runner.status().caught_up)

    told = Told(Progress(7, caught_up=False))
    runner = bank.runner(subscriptions=told, views=memory.Views(transfer_summary))
    async with running(runner):
        await until(lambda: runner.status().position == 7)
        assert runner.status().state is State.CATCHING_UP


async def test_an_unexpected_error_is_not_hidden(bank: Bank) -> None:
    """What is no failure of an event ends the run as it is, and the status tells."""

    class Broken:
        def catch_up(self, **_: object) -> object:
            raise RuntimeError("a mistake")

    runner = bank.runner(subscriptions=Broken())

    with suppress(RuntimeError):
        await runner.run()

    assert (runner.status().state, runner.status().last_error) == (State.FAILED, "a mistake")


def test_lag_is_the_age_of_the_oldest_event_that_is_missing() -> None:
    """Unknown is never 0: not at first, not while a store is away."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    progress = Progressing("p", clock=lambda: now)

    def lag() -> float | None:
        return progress.status().lag_seconds

    progress.started(-1)
    assert lag() is None
    progress.working_on(now - timedelta(seconds=90))
    assert lag() == 90
    progress.took_in(5, 70)
    progress.behind()
    assert lag() == 90
    progress.live()
    assert lag() == 0
    progress.lost(StoreUnavailable("gone"))
    assert lag() is None
    progress.started(70)
    progress.working_on(now - timedelta(seconds=3))
    progress.failed(RuntimeError("poison"))
    now += timedelta(seconds=4)
    assert lag() == 7
