"""Snapshots, on every store: less is read, nothing is decided otherwise, no wrong one is used."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from application.claim_check import ClaimCheck
from application.command_dispatch import CommandDispatch, CommandIdReused
from application.messages import Context
from application.ports import EventStore
from application.snapshots import Snapshots, SnapshotTaken, Traces
from infrastructure import memory
from tests.application.snapped import NOON, Account
from tests.contracts.made_up import event
from tests.contracts.stores import Stores
from tests.sample.accounts import Deposit, InsufficientFunds
from tests.sample.service import SAMPLE


@pytest.fixture
def store(stores: Stores) -> EventStore:
    return stores.events


@pytest.fixture
async def account(store: EventStore) -> Account:
    """23 events and as many units, a snapshot at version 9 and one at version 19."""
    account = Account(store)
    await account.deposit(23)
    account.watched.reads.clear()
    return account


def test_no_category_has_them_unless_it_says_so() -> None:
    """Snapshots are off by default."""
    assert all(category.snapshots is None for category in SAMPLE.catalogue.categories)


async def test_a_long_stream_is_read_from_its_newest_snapshot_on(account: Account) -> None:
    """A process that knows nothing reads one snapshot, the event it names, and what follows."""
    assert await account.hold(23) == 23

    assert account.watched.reads == [(f"snapshot-{account.stream}", 1), (account.stream, 4)]
    assert account.told == []


async def test_one_is_taken_every_so_many_events(account: Account) -> None:
    """Each stands at the version of a command's last event, and names that event."""
    events = [one async for one in account.watched.read(account.stream)]
    taken: list[Any] = [one.event for one in await account.snapshots()]

    assert [one.version for one in taken] == [9, 19]
    assert [one.event_id for one in taken] == [events[9].id, events[19].id]


async def test_a_snapshot_tells_its_story(account: Account) -> None:
    """It carries the correlation of the command it follows from, and its event as the cause."""
    last = [one async for one in account.watched.read(account.stream)][19]
    metadata = (await account.snapshots())[-1].metadata

    assert metadata.correlation_id == last.metadata.correlation_id
    assert (metadata.causation_id, metadata.actor) == (str(last.id), "snapshots")


# ── what is wrong ────────────────────────────────────────────────────────────────────────────────

RICH = '{"balance":1000}'  # a lie: were it believed, 24 could be reserved
WRONG: dict[str, dict[str, Any]] = {
    "of a state of another form": {"schema_digest": "0" * 64},
    "of another evolve": {"evolve_digest": "0" * 64},
    "of a release with another number": {"snapshots_version": 2},
    "naming another event": {"event_id": UUID(int=7)},
    "naming another version": {"version": 18},
    "beyond the end of the stream": {"version": 999},
    "not JSON": {"state": '{"balance":'},
    "not an account": {"state": '{"balance":"many"}'},
    "without whole traces": {"commands": "AAAA"},
    "without traces": {"commands": "?"},
}


async def test_a_snapshot_that_fits_is_believed(account: Account) -> None:
    """The proof of what follows: a planted snapshot with nothing wrong about it is used."""
    await account.plant((await account.newest()).model_copy(update={"state": RICH}))

    assert await account.hold(24) == 23


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_a_wrong_one_is_discarded(account: Account, wrong: dict[str, Any]) -> None:
    """What does not fit is told and put aside, and the whole stream is read."""
    newest = await account.newest()
    await account.plant(newest.model_copy(update={"state": RICH, **wrong}))
    account.watched.reads.clear()

    with pytest.raises(InsufficientFunds, match="23 is free"):
        await account.hold(24)

    assert len(account.told) == 1
    assert account.watched.reads[-1] == (account.stream, 23)


async def test_one_whose_content_was_changed_is_discarded(account: Account) -> None:
    """The id of a snapshot vouches for its content: a state that was tampered with is not used."""
    newest = await account.newest()
    await account.plant(newest.model_copy(update={"state": RICH}), id=uuid4())

    with pytest.raises(InsufficientFunds):
        await account.hold(24)

    assert account.told == ["its id belongs to another content"]


@pytest.mark.parametrize(("type", "data"), [("SnapshotTaken", b'["none"]'), ("Noted", b"{}")])
async def test_what_is_no_snapshot_at_all_is_discarded(
    account: Account, type: str, data: bytes
) -> None:
    """Garbage in the stream of snapshots costs a whole read, and no command."""
    await account.plant_event(event(type, data))

    assert await account.hold(23) == 23
    assert len(account.told) == 1


async def test_after_a_discarded_one_a_new_one_is_taken(account: Account) -> None:
    """A release that counts its number up replaces the snapshots with the next commands."""
    account.version = 2
    await account.deposit(1)
    assert account.told == ["it is of version 1, not 2"]
    account.watched.reads.clear()

    assert await account.hold(24) == 24
    assert account.watched.reads == [(f"snapshot-{account.stream}", 1), (account.stream, 1)]


# ── commands that are repeated ───────────────────────────────────────────────────────────────────


async def test_a_command_from_before_the_snapshot_is_still_recognised(store: EventStore) -> None:
    """Repeated, it is answered as the first time; with another content it is refused."""
    account, command_id = Account(store), uuid4()
    first = await account.ask(Deposit(deposit_id="r", amount=5), command_id)
    await account.deposit(20)

    assert await account.ask(Deposit(deposit_id="r", amount=5), command_id) == first
    with pytest.raises(CommandIdReused):
        await account.ask(Deposit(deposit_id="s", amount=5), command_id)

    assert len([one async for one in account.watched.read(account.stream)]) == 21


async def test_a_trace_alone_is_not_believed(account: Account) -> None:
    """A command that has left another one's trace is looked for, and carried out."""
    command_id, newest = uuid4(), await account.newest()
    traces = Traces.parse(newest.commands).with_commands([command_id])
    await account.plant(newest.model_copy(update={"commands": str(traces)}))

    assert await account.ask(Deposit(deposit_id="r", amount=1), command_id) == 23


def test_traces_are_small_and_forget_no_command() -> None:
    """Four bytes for each command; of ten thousand others hardly one is taken for one of them."""
    commands, others = ([uuid4() for _ in range(10_000)] for _ in range(2))
    traces = Traces.parse(str(Traces().with_commands(commands)))

    assert all(command in traces for command in commands)
    assert sum(other in traces for other in others) < 5
    assert len(str(traces)) <= 10_000 * 4 * 4 / 3 + 4


# ── what goes wrong on the way ───────────────────────────────────────────────────────────────────


async def test_without_the_store_of_snapshots_commands_are_carried_out(store: EventStore) -> None:
    """Snapshots that can be neither read nor kept are told, and fail nothing."""
    account = Account(store)
    account.watched.snapshots_away = True
    await account.deposit(11)

    assert await account.hold(11) == 11
    assert any("could not be kept: StoreUnavailable" in why for why in account.told)


async def test_one_that_is_too_large_is_not_kept(store: EventStore) -> None:
    """Without a payload store, a snapshot above 10 KB is told and left."""
    account = Account(ClaimCheck(store, None, limit=200), every=5)

    await account.deposit(6)

    assert await account.snapshots() == []
    assert ["EventTooLarge" in why for why in account.told] == [True, True]


async def test_a_large_one_is_a_claim_check(store: EventStore) -> None:
    """With a payload store, its bytes are kept beside the event store, and found again."""
    checked = ClaimCheck(store, memory.PayloadStore(), limit=200)
    account = Account(checked, every=5)
    await account.deposit(6)
    account.watched.reads.clear()

    assert await account.hold(6) == 6
    assert account.watched.reads == [(f"snapshot-{account.stream}", 1), (account.stream, 2)]


async def test_processes_that_remember_share_the_snapshots(account: Account) -> None:
    """Who finds that another process has kept one leaves it at that, and nothing is told."""
    await receive(account, *(account.process(remember=10) for _ in range(3)), times=20)

    taken: list[Any] = [one.event for one in await account.snapshots()]
    versions = [one.version for one in taken]
    assert versions == sorted(set(versions))
    assert 82 - versions[-1] < 2 * account.every
    assert len(versions) <= 2 + 2 * 60 / account.every
    assert account.told == []


async def test_whoever_is_left_goes_on_keeping_them(account: Account) -> None:
    """A process that found others' snapshots keeps the next ones itself when those are gone."""
    gone, left = (account.process(remember=10) for _ in range(2))
    await receive(account, gone, left, times=10)  # the first of the two that is due
    await receive(account, left, times=30)

    assert len(await account.snapshots()) == 2 + 2 + 3
    assert account.told == []


async def receive(account: Account, *processes: CommandDispatch, times: int) -> None:
    """One unit each time, by each process in turn."""
    for process in processes * times:
        command = Deposit(deposit_id=f"r-{uuid4().hex}", amount=1)
        await process(account.id, command, Context.start("a test", uuid4(), NOON))


@pytest.mark.parametrize("every", [0, -1])
def test_a_declaration_has_to_make_sense(every: int) -> None:
    """A snapshot after no event cannot be declared."""
    with pytest.raises(ValueError, match="every 1 event or more"):
        Snapshots(every=every)


async def test_the_same_snapshot_is_the_same_event(account: Account) -> None:
    """Two processes that keep the same state write one event, and another content is another."""
    newest = await account.newest()

    assert SnapshotTaken.model_validate_json(newest.model_dump_json()).id == newest.id
    assert newest.model_copy(update={"commands": ""}).id != newest.id
