"""The write side: exact versions, re-deciding, and commands that are recognised when repeated."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest

from application.catalogue import Catalogue
from application.command_dispatch import (
    CommandDispatch,
    CommandIdReused,
    CommandOutcome,
    StaleVersion,
    StreamBusy,
    TooMuchContention,
)
from application.messages import Context, NewEvent, RecordedEvent
from application.ports import Appended, EventStore
from domain.decider import Decider, DomainError
from infrastructure import memory
from tests.sample.accounts import Deposit, Deposited, Hold, InsufficientFunds
from tests.sample.service import SAMPLE
from tests.sample.transfers import ApproveTransfer, CancelTransfer, RequestTransfer, UnknownTransfer

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def asked(command_id: UUID | None = None) -> Context:
    return Context.start("a test", command_id or uuid4(), NOON)


def transfer_to(target: str) -> RequestTransfer:
    return RequestTransfer(source="a", target=target, amount=1)


@pytest.fixture
def store() -> memory.EventStore:
    return memory.EventStore(SAMPLE.catalogue)


@pytest.fixture
def dispatch(store: memory.EventStore) -> CommandDispatch:
    return CommandDispatch(store, SAMPLE.catalogue, pause=_no_pause)


async def _no_pause(_attempt: int) -> None:
    await asyncio.sleep(0)


async def events_of(store: EventStore, stream: str) -> list[RecordedEvent]:
    return [recorded async for recorded in store.read(stream)]


class Interrupted:
    """An event store in which somebody else always gets in first, a number of times."""

    def __init__(self, store: EventStore, times: int, rival: NewEvent) -> None:
        self._store, self.times, self._rival = store, times, rival

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        if self.times > 0:
            self.times -= 1
            event = NewEvent(uuid4(), self._rival.type, self._rival.data, self._rival.metadata)
            await self._store.append(stream, [event], expected_version)
        return await self._store.append(stream, events, expected_version)

    def read(
        self,
        stream: str,
        *,
        from_version: int = 0,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        return self._store.read(stream, from_version=from_version, backwards=backwards, limit=limit)


async def test_an_outcome_tells_where_its_events_stand(
    dispatch: CommandDispatch, store: memory.EventStore
) -> None:
    """A command that led to events answers with their stream, last version and last position."""
    outcome = await dispatch("t-1", transfer_to("a"), asked())

    [recorded] = await events_of(store, "transfer-t-1")
    assert (outcome.stream, outcome.version) == ("transfer-t-1", 0)
    assert outcome.position == recorded.position
    assert outcome.events == (recorded.event,)
    assert not outcome.repeated


async def test_events_carry_the_story_of_their_command(
    dispatch: CommandDispatch, store: memory.EventStore
) -> None:
    """Metadata names correlation, cause, command, actor, time, trace and schema version."""
    context = Context.start("jane", uuid4(), NOON, correlation_id="c-1", traceparent="00-ab-cd-01")

    await dispatch("t-1", transfer_to("a"), context)

    [recorded] = await events_of(store, "transfer-t-1")
    assert recorded.metadata == context.metadata(schema_version=2)
    assert recorded.metadata.causation_id == str(context.command_id)
    assert b'"$correlationId":"c-1"' in recorded.metadata_json


async def test_what_an_event_causes_points_back_to_it(
    dispatch: CommandDispatch, store: memory.EventStore
) -> None:
    """A command derived from an event carries its correlation on and its id as causation."""
    await dispatch("t-1", transfer_to("a"), asked())
    [cause] = await events_of(store, "transfer-t-1")

    await dispatch("t-1", ApproveTransfer(), cause.caused("a reaction", NOON))
    await dispatch("t-1", ApproveTransfer(), cause.caused("a reaction", NOON))

    [_, effect] = await events_of(store, "transfer-t-1")
    assert effect.metadata.correlation_id == cause.metadata.correlation_id
    assert effect.metadata.causation_id == str(cause.id)


async def test_a_wish_that_is_fulfilled_already_appends_nothing(
    dispatch: CommandDispatch, store: memory.EventStore
) -> None:
    """No decision, no event: the outcome has the version and no position."""
    await dispatch("t-1", transfer_to("a"), asked())

    outcome = await dispatch("t-1", transfer_to("a"), asked())

    assert (outcome.version, outcome.position, outcome.events) == (0, None, ())
    assert len(await events_of(store, "transfer-t-1")) == 1


async def test_a_refusal_appends_nothing(
    dispatch: CommandDispatch, store: memory.EventStore
) -> None:
    """A command that the domain refuses leaves no trace."""
    with pytest.raises(UnknownTransfer):
        await dispatch("t-1", ApproveTransfer(), asked())

    assert await events_of(store, "transfer-t-1") == []


@pytest.mark.parametrize("new", [False, True])
async def test_a_repeated_command_is_answered_as_the_first_time(
    dispatch: CommandDispatch, store: memory.EventStore, new: bool
) -> None:
    """The same command id and content: the same version, position and events, nothing appended."""
    command_id = uuid4()
    first = await dispatch("t-1", transfer_to("a"), asked(command_id), new=new)
    await dispatch("t-1", CancelTransfer(reason="later"), asked())

    again = await dispatch("t-1", transfer_to("a"), asked(command_id), new=new)

    assert (again.version, again.position, again.events) == (
        first.version,
        first.position,
        first.events,
    )
    assert len(await events_of(store, "transfer-t-1")) == 2


@pytest.mark.parametrize("new", [False, True])
async def test_a_command_id_stands_for_one_content_only(
    dispatch: CommandDispatch, store: memory.EventStore, new: bool
) -> None:
    """The same command id with another content is refused, also where the stream is not read."""
    command_id = uuid4()
    await dispatch("t-1", transfer_to("a"), asked(command_id))

    with pytest.raises(CommandIdReused):
        await dispatch("t-1", transfer_to("b"), asked(command_id), new=new)

    assert len(await events_of(store, "transfer-t-1")) == 1


async def test_two_contents_under_one_command_id_cannot_both_win_a_race(
    dispatch: CommandDispatch, store: memory.EventStore
) -> None:
    """Sent at once, one command id with two contents: one is carried out, the other refused."""
    command_id = uuid4()

    outcomes = await asyncio.gather(
        *(dispatch("t-1", transfer_to(account), asked(command_id), new=True) for account in "ab"),
        return_exceptions=True,
    )

    assert sorted(isinstance(o, CommandIdReused) for o in outcomes) == [False, True]
    assert len(await events_of(store, "transfer-t-1")) == 1


async def test_a_command_based_on_an_old_version_is_refused(
    dispatch: CommandDispatch, store: memory.EventStore
) -> None:
    """With the caller's expected version, a stream that has moved on is not touched."""
    await dispatch("t-1", transfer_to("a"), asked())
    await dispatch("t-1", ApproveTransfer(), asked(), expected_version=0)

    with pytest.raises(StaleVersion, match="is at version 1, not at 0"):
        await dispatch("t-1", CancelTransfer(reason="no"), asked(), expected_version=0)

    assert len(await events_of(store, "transfer-t-1")) == 2


async def test_a_repeated_command_may_name_the_version_it_was_based_on(
    dispatch: CommandDispatch,
) -> None:
    """A retry is answered as the first time, although its own events have moved the stream on."""
    await dispatch("t-1", transfer_to("a"), asked())
    command_id = uuid4()
    first = await dispatch("t-1", ApproveTransfer(), asked(command_id), expected_version=0)

    again = await dispatch("t-1", ApproveTransfer(), asked(command_id), expected_version=0)

    assert (again.version, again.repeated) == (first.version, True)


async def rival(dispatch: CommandDispatch, store: memory.EventStore) -> NewEvent:
    """An event with which another process changes the account."""
    await dispatch("other", Deposit(deposit_id="r-0", amount=1), asked())
    [event] = await events_of(store, "account-other")
    return NewEvent(event.id, event.type, event.data, event.metadata)


async def test_a_conflict_is_decided_anew(
    dispatch: CommandDispatch, store: memory.EventStore
) -> None:
    """When another appends first, the command is decided again on what then stands there."""
    interrupted = Interrupted(store, times=3, rival=await rival(dispatch, store))

    outcome = await CommandDispatch(interrupted, SAMPLE.catalogue, pause=_no_pause)(
        "a", Deposit(deposit_id="r-1", amount=5), asked()
    )

    assert outcome.version == 3


async def test_contention_without_end_is_given_up(
    dispatch: CommandDispatch, store: memory.EventStore
) -> None:
    """After three retries the caller is told, and nothing was appended for it."""
    interrupted = Interrupted(store, times=99, rival=await rival(dispatch, store))

    with pytest.raises(TooMuchContention):
        await CommandDispatch(interrupted, SAMPLE.catalogue, pause=_no_pause)(
            "a", Deposit(deposit_id="r-1", amount=5), asked()
        )

    assert 99 - interrupted.times == len(await events_of(store, "account-a")) == 4


async def test_racing_commands_never_overdraw(store: memory.EventStore) -> None:
    """Twenty transfers race for five: five hold one each, whatever the interleaving."""
    dispatch = CommandDispatch(store, SAMPLE.catalogue)
    await dispatch("a", Deposit(deposit_id="r-1", amount=5), asked())

    async def hold(number: int) -> str:
        transfer_id = str(number)
        context = asked(uuid5(UUID(int=0), transfer_id))
        while True:
            try:
                await dispatch("a", Hold(transfer_id=transfer_id, amount=1), context)
                return "held"
            except TooMuchContention:
                continue
            except DomainError as refusal:
                return type(refusal).__name__

    results = await asyncio.gather(*map(hold, range(20)))

    assert sorted(results) == sorted([InsufficientFunds.__name__] * 15 + ["held"] * 5)


# ── many commands for one stream at once ─────────────────────────────────────────────────────────


class Noted(memory.EventStore):
    """Notes how many events each append has, and takes no more than so many."""

    def __init__(self, most: int = 1000) -> None:
        super().__init__(SAMPLE.catalogue)
        self.appends: list[int] = []
        self._most = most

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        if len(events) > self._most:
            raise ValueError("too large an append")
        appended = await super().append(stream, events, expected_version)
        self.appends.append(len(events))
        return appended


async def received(dispatch: CommandDispatch, count: int) -> Sequence[CommandOutcome]:
    """So many deposits on one account at once."""
    commands = (Deposit(deposit_id=f"r-{number}", amount=1) for number in range(count))
    return await asyncio.gather(*(dispatch("a", command, asked()) for command in commands))


async def test_commands_that_wait_together_are_appended_together() -> None:
    """The first is served at once, all others in one append, each with a place of its own."""
    store = Noted()

    outcomes = await received(CommandDispatch(store, SAMPLE.catalogue), 50)

    assert store.appends == [1, 49]
    recorded = await events_of(store, "account-a")
    assert [outcome.version for outcome in outcomes] == [*range(50)]
    assert [outcome.position for outcome in outcomes] == [one.position for one in recorded]


@pytest.mark.parametrize("most", [1, 3, 20])
async def test_what_a_store_cannot_take_together_is_taken_apart(most: int) -> None:
    """Too large an append is halved until it fits: every command is carried out."""
    store = Noted(most)

    outcomes = await received(CommandDispatch(store, SAMPLE.catalogue), 50)

    assert sorted(outcome.version for outcome in outcomes) == [*range(50)]
    assert max(store.appends) <= most


async def test_one_append_has_so_many_events_at_most() -> None:
    """Commands that lead to many events, or to large ones, are appended a few at a time."""
    store = Noted()
    category = replace(
        SAMPLE.catalogue.by_command[Deposit],
        decider=Decider(0, lambda sum, _: sum + 1, lambda command, _: [_booked(command)] * 200),
    )

    await received(CommandDispatch(store, Catalogue([category])), 7)

    assert store.appends == [200, 600, 600]


def _booked(command: Deposit) -> Deposited:
    return Deposited(deposit_id=command.deposit_id, amount=command.amount)


async def test_one_that_cannot_be_kept_takes_nobody_along() -> None:
    """Whoever sent it hears why; the others that waited with it are carried out."""

    class Strict(Noted):
        async def append(self, stream: str, events: Sequence[NewEvent], *rest: Any) -> Appended:
            if any(b'"r-7"' in event.data for event in events):
                raise ValueError("r-7 cannot be kept")
            return await super().append(stream, events, *rest)

    store = Strict()
    dispatch = CommandDispatch(store, SAMPLE.catalogue)
    commands = (Deposit(deposit_id=f"r-{number}", amount=1) for number in range(20))
    heard = await asyncio.gather(
        *(dispatch("a", command, asked()) for command in commands), return_exceptions=True
    )

    assert [number for number, one in enumerate(heard) if isinstance(one, ValueError)] == [7]
    assert len(await events_of(store, "account-a")) == 19


async def test_of_those_that_wait_together_each_has_a_condition_of_its_own() -> None:
    """Two based on one version: the first is carried out, the other is refused as stale."""
    store = Noted()
    dispatch = CommandDispatch(store, SAMPLE.catalogue)
    wishes = [(f"r-{number}", None if number == 0 else 0) for number in range(4)]
    heard = await asyncio.gather(
        *(
            dispatch("a", Deposit(deposit_id=id, amount=1), asked(), expected_version=seen)
            for id, seen in wishes
        ),
        return_exceptions=True,
    )

    assert [type(one) for one in heard] == [
        CommandOutcome,
        CommandOutcome,
        StaleVersion,
        StaleVersion,
    ]
    assert store.appends == [1, 1]


async def test_a_command_that_waits_beside_itself_is_carried_out_once() -> None:
    """Sent twice at once, it is answered twice, and stands in the stream once."""
    store = Noted()
    dispatch = CommandDispatch(store, SAMPLE.catalogue)
    id = uuid4()
    commands = [(uuid4(), "r-0"), (id, "r-1"), (id, "r-1"), (id, "r-2")]
    heard = await asyncio.gather(
        *(
            dispatch("a", Deposit(deposit_id=receipt, amount=1), asked(id))
            for id, receipt in commands
        ),
        return_exceptions=True,
    )

    first, again, other = heard[1:]
    assert isinstance(first, CommandOutcome)
    assert isinstance(again, CommandOutcome)
    assert (again.version, again.position) == (first.version, first.position)
    assert (first.repeated, again.repeated) == (False, True)
    assert isinstance(other, CommandIdReused)
    assert store.appends == [1, 1]


async def test_commands_beyond_the_bound_are_refused_before_anything_is_done() -> None:
    """The queue of a stream has an end: whoever does not fit is told, and leaves no trace."""
    store = Noted()
    dispatch = CommandDispatch(store, SAMPLE.catalogue, waiting=10)
    commands = (Deposit(deposit_id=f"r-{number}", amount=1) for number in range(20))
    heard = await asyncio.gather(
        *(dispatch("a", command, asked()) for command in commands), return_exceptions=True
    )

    assert [type(one) for one in heard] == [CommandOutcome] * 11 + [StreamBusy] * 9
    assert store.appends == [1, 10]
