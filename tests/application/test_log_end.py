"""An older backup of the event store is restored: whoever remembers more than it holds says so."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from application.command_dispatch import CommandDispatch, CommandOutcome
from application.consistency import Consistency, InvalidToken, NotOfThisLog, Token
from application.log_end import LogEnd
from application.messages import Context, RecordedEvent
from application.parking_stream import ParkingStream
from application.ports import NO_STREAM
from application.projections.builds import Build
from application.projections.failures import AheadOfLog
from application.projections.runner import ProjectionRunner
from application.sagas.deadlines import Deadlines
from application.sagas.events import StepDelayed
from application.writability import Writability
from domain.decider import Event
from domain.values import Money
from infrastructure import memory
from tests.sample.accounts import Deposit
from tests.sample.read_models.transfer_summary import TransferSummary, transfer_summary
from tests.sample.service import SAMPLE
from tests.sample.transfers import TransferRequested
from tests.waiting import until

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
REQUESTED = TransferRequested(source="a", target="b", amount=1, fee=Money.zero("EUR"))


@dataclass
class Store:
    """An event store in memory, of which an older backup can be restored."""

    log: memory.EventStore = field(default_factory=lambda: memory.EventStore(SAMPLE.catalogue))

    @property
    def subscriptions(self) -> memory.Subscriptions:
        return memory.Subscriptions(self.log)

    @property
    def log_end(self) -> LogEnd:
        return LogEnd(self.subscriptions, Writability(self.log, "here"))

    async def record(self, stream: str, event: Event, version: int = NO_STREAM) -> RecordedEvent:
        new = SAMPLE.catalogue.new_event(event, uuid4(), Context.start("a test", uuid4(), NOON))
        await self.log.append(stream, [new], version)
        return [one async for one in self.log.read(stream)][-1]

    async def transfers(self, *ids: str) -> list[RecordedEvent]:
        return [await self.record(f"transfer-{id}", REQUESTED) for id in ids]


async def test_only_what_was_never_in_the_log_is_beyond_its_end() -> None:
    """Not the last event, nor what the store may hide behind it."""
    store = Store()
    (last,) = await store.transfers("1")

    assert not await store.log_end.is_beyond(-1)
    assert not await store.log_end.is_beyond(last.position)
    assert not await store.log_end.is_beyond(last.position + 1), "a probe has decided"
    assert await store.log_end.is_beyond(last.position + 100_000)


async def test_a_read_model_that_is_ahead_of_the_log_stops_and_says_why() -> None:
    """It takes nothing in: between what it shows and what comes there would be a hole."""
    store, views = Store(), memory.Views(transfer_summary)
    first, *_ = await store.transfers(*"123456789")

    def runner() -> ProjectionRunner[TransferSummary]:
        parts = transfer_summary, store.subscriptions, views, None
        return ProjectionRunner(*parts, log_end=store.log_end)

    before = runner()
    task = asyncio.create_task(before.run())
    await until(lambda: before.status().caught_up)
    task.cancel()
    await asyncio.wait([task])
    store.log.restore(first.position)

    with pytest.raises(AheadOfLog, match=r"older backup .*projections deploy transfer_summary"):
        await runner().run()


async def test_a_question_with_a_token_is_not_answered_by_views_of_another_log() -> None:
    """Neither with a token of now, which they have passed unseen, nor with one of before."""
    store, builds = Store(), memory.Builds()
    first, *_, last = await store.transfers(*"123456789")
    await builds.register([transfer_summary])
    models = memory.ReadModels([transfer_summary], builds)
    build = Build(transfer_summary.name, transfer_summary.version)
    await models.of(transfer_summary, build).save({}, checkpoint=last.position, expected=None)
    store.log.restore(first.position)
    (now,) = await store.transfers("new")
    id = await store.subscriptions.store_id()
    assert id is not None
    consistency = Consistency(
        store.subscriptions, models, {"transfer"}, store.log_end, patience=0.01
    )

    with pytest.raises(NotOfThisLog):
        await consistency.fresh(transfer_summary, Token(id, "transfer", now.position).text)
    with pytest.raises(InvalidToken, match="does not hold"):
        await consistency.fresh(transfer_summary, Token(id, "transfer", 10 * last.position).text)


async def test_a_parking_lot_forgets_what_the_log_no_longer_holds() -> None:
    """It goes on from what is there, and does not try without end."""
    store = Store()
    first, second = await store.transfers("1", "2")
    parking = ParkingStream(store.log, "group")
    for recorded in (first, second):
        await parking.park(recorded, "broken", 1)

    store.log.restore(second.position)
    await parking.park(second, "broken again", 1)

    assert set(parking.parked.held) == {second.id}


async def test_deadlines_are_learnt_anew_from_an_older_log() -> None:
    """A moment of a saga that the log does not know of is forgotten."""
    store = Store()
    delayed = StepDelayed(step="hold amount", error="away", again_at=NOON + timedelta(days=9999))
    first = await store.record("money_transfer-1", delayed)
    await store.record("money_transfer-2", delayed)
    deadlines = Deadlines("money_transfer", store.log, store.subscriptions, store.log_end)

    async def learnt(*ids: str) -> None:
        task = asyncio.create_task(deadlines.run())
        await until(lambda: set(deadlines.moments) == set(ids))
        task.cancel()
        await asyncio.wait([task])

    await learnt("1", "2")
    store.log.restore(first.position)
    await learnt("1")


async def test_a_dispatch_forgets_what_the_log_no_longer_holds() -> None:
    """It decides on what is there, instead of conflicting with it for good."""
    store = Store()
    dispatch = CommandDispatch(store.log, SAMPLE.catalogue, remember=10)

    async def deposit(id: str, amount: int) -> CommandOutcome:
        context = Context.start("a test", uuid4(), NOON)
        return await dispatch("A", Deposit(deposit_id=id, amount=amount), context)

    first = await deposit("d-1", 1)
    for number in range(2, 9):
        await deposit(f"d-{number}", 1)
    assert first.position is not None
    store.log.restore(first.position)

    assert (await deposit("d-2", 5)).version == 1
    events = [recorded.event async for recorded in store.log.read("account-A")]
    assert [getattr(event, "amount", None) for event in events] == [1, 5]
