"""Snapshots, on every store: less is read, nothing is decided otherwise, no wrong one is used."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from application.claim_check import ClaimCheck
from application.command_dispatch import CommandDispatch, CommandIdReused
from application.messages import Context
from application.ports import EventStore
from application.shop.service import SHOP
from application.snapshots import Snapshots, SnapshotTaken, Traces
from domain.stock import OutOfStock, ReceiveStock
from infrastructure import memory
from tests.application.snapped import NOON, Stock
from tests.contracts.conftest import Stores
from tests.contracts.made_up import event


@pytest.fixture
def store(stores: Stores) -> EventStore:
    return stores.events


@pytest.fixture
async def stock(store: EventStore) -> Stock:
    """23 events and as many units, a snapshot at version 9 and one at version 19."""
    stock = Stock(store)
    await stock.receive(23)
    stock.watched.reads.clear()
    return stock


def test_no_category_has_them_unless_it_says_so() -> None:
    """Snapshots are off by default."""
    assert all(category.snapshots is None for category in SHOP.catalogue.categories)


async def test_a_long_stream_is_read_from_its_newest_snapshot_on(stock: Stock) -> None:
    """A process that knows nothing reads one snapshot, the event it names, and what follows."""
    assert await stock.reserve(23) == 23

    assert stock.watched.reads == [(f"snapshot-{stock.stream}", 1), (stock.stream, 4)]
    assert stock.told == []


async def test_one_is_taken_every_so_many_events(stock: Stock) -> None:
    """Each stands at the version of a command's last event, and names that event."""
    events = [one async for one in stock.watched.read(stock.stream)]
    taken: list[Any] = [one.event for one in await stock.snapshots()]

    assert [one.version for one in taken] == [9, 19]
    assert [one.event_id for one in taken] == [events[9].id, events[19].id]


async def test_a_snapshot_tells_its_story(stock: Stock) -> None:
    """It carries the correlation of the command it follows from, and its event as the cause."""
    last = [one async for one in stock.watched.read(stock.stream)][19]
    metadata = (await stock.snapshots())[-1].metadata

    assert metadata.correlation_id == last.metadata.correlation_id
    assert (metadata.causation_id, metadata.actor) == (str(last.id), "snapshots")


# ── what is wrong ────────────────────────────────────────────────────────────────────────────────

RICH = '{"on_hand":1000}'  # a lie: were it believed, 24 could be reserved
WRONG: dict[str, dict[str, Any]] = {
    "of a state of another form": {"schema_digest": "0" * 64},
    "of another evolve": {"evolve_digest": "0" * 64},
    "of a release with another number": {"snapshots_version": 2},
    "naming another event": {"event_id": UUID(int=7)},
    "naming another version": {"version": 18},
    "beyond the end of the stream": {"version": 999},
    "not JSON": {"state": '{"on_hand":'},
    "not a stock": {"state": '{"on_hand":"many"}'},
    "without whole traces": {"commands": "AAAA"},
    "without traces": {"commands": "?"},
}


async def test_a_snapshot_that_fits_is_believed(stock: Stock) -> None:
    """The proof of what follows: a planted snapshot with nothing wrong about it is used."""
    await stock.plant((await stock.newest()).model_copy(update={"state": RICH}))

    assert await stock.reserve(24) == 23


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_a_wrong_one_is_discarded(stock: Stock, wrong: dict[str, Any]) -> None:
    """What does not fit is told and put aside, and the whole stream is read."""
    newest = await stock.newest()
    await stock.plant(newest.model_copy(update={"state": RICH, **wrong}))
    stock.watched.reads.clear()

    with pytest.raises(OutOfStock, match="23 are available"):
        await stock.reserve(24)

    assert len(stock.told) == 1
    assert stock.watched.reads[-1] == (stock.stream, 23)


async def test_one_whose_content_was_changed_is_discarded(stock: Stock) -> None:
    """The id of a snapshot vouches for its content: a state that was tampered with is not used."""
    newest = await stock.newest()
    await stock.plant(newest.model_copy(update={"state": RICH}), id=uuid4())

    with pytest.raises(OutOfStock):
        await stock.reserve(24)

    assert stock.told == ["its id belongs to another content"]


@pytest.mark.parametrize(("type", "data"), [("SnapshotTaken", b'["none"]'), ("Noted", b"{}")])
async def test_what_is_no_snapshot_at_all_is_discarded(
    stock: Stock, type: str, data: bytes
) -> None:
    """Garbage in the stream of snapshots costs a whole read, and no command."""
    await stock.plant_event(event(type, data))

    assert await stock.reserve(23) == 23
    assert len(stock.told) == 1


async def test_after_a_discarded_one_a_new_one_is_taken(stock: Stock) -> None:
    """A release that counts its number up replaces the snapshots with the next commands."""
    stock.version = 2
    await stock.receive(1)
    assert stock.told == ["it is of version 1, not 2"]
    stock.watched.reads.clear()

    assert await stock.reserve(24) == 24
    assert stock.watched.reads == [(f"snapshot-{stock.stream}", 1), (stock.stream, 1)]


# ── commands that are repeated ───────────────────────────────────────────────────────────────────


async def test_a_command_from_before_the_snapshot_is_still_recognised(store: EventStore) -> None:
    """Repeated, it is answered as the first time; with another content it is refused."""
    stock, command_id = Stock(store), uuid4()
    first = await stock.ask(ReceiveStock(receipt_id="r", quantity=5), command_id)
    await stock.receive(20)

    assert await stock.ask(ReceiveStock(receipt_id="r", quantity=5), command_id) == first
    with pytest.raises(CommandIdReused):
        await stock.ask(ReceiveStock(receipt_id="s", quantity=5), command_id)

    assert len([one async for one in stock.watched.read(stock.stream)]) == 21


async def test_a_trace_alone_is_not_believed(stock: Stock) -> None:
    """A command that has left another one's trace is looked for, and carried out."""
    command_id, newest = uuid4(), await stock.newest()
    traces = Traces.parse(newest.commands).with_commands([command_id])
    await stock.plant(newest.model_copy(update={"commands": str(traces)}))

    assert await stock.ask(ReceiveStock(receipt_id="r", quantity=1), command_id) == 23


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
    stock = Stock(store)
    stock.watched.snapshots_away = True
    await stock.receive(11)

    assert await stock.reserve(11) == 11
    assert any("could not be kept: StoreUnavailable" in why for why in stock.told)


async def test_one_that_is_too_large_is_not_kept(store: EventStore) -> None:
    """Without a payload store, a snapshot above 10 KB is told and left."""
    stock = Stock(ClaimCheck(store, None, limit=200), every=5)

    await stock.receive(6)

    assert await stock.snapshots() == []
    assert ["EventTooLarge" in why for why in stock.told] == [True, True]


async def test_a_large_one_is_a_claim_check(store: EventStore) -> None:
    """With a payload store, its bytes are kept beside the event store, and found again."""
    checked = ClaimCheck(store, memory.PayloadStore(), limit=200)
    stock = Stock(checked, every=5)
    await stock.receive(6)
    stock.watched.reads.clear()

    assert await stock.reserve(6) == 6
    assert stock.watched.reads == [(f"snapshot-{stock.stream}", 1), (stock.stream, 2)]


async def test_processes_that_remember_share_the_snapshots(stock: Stock) -> None:
    """Who finds that another process has kept one leaves it at that, and nothing is told."""
    await receive(stock, *(stock.process(remember=10) for _ in range(3)), times=20)

    taken: list[Any] = [one.event for one in await stock.snapshots()]
    versions = [one.version for one in taken]
    assert versions == sorted(set(versions))
    assert 82 - versions[-1] < 2 * stock.every
    assert len(versions) <= 2 + 2 * 60 / stock.every
    assert stock.told == []


async def test_whoever_is_left_goes_on_keeping_them(stock: Stock) -> None:
    """A process that found others' snapshots keeps the next ones itself when those are gone."""
    gone, left = (stock.process(remember=10) for _ in range(2))
    await receive(stock, gone, left, times=10)  # the first of the two that is due
    await receive(stock, left, times=30)

    assert len(await stock.snapshots()) == 2 + 2 + 3
    assert stock.told == []


async def receive(stock: Stock, *processes: CommandDispatch, times: int) -> None:
    """One unit each time, by each process in turn."""
    for process in processes * times:
        command = ReceiveStock(receipt_id=f"r-{uuid4().hex}", quantity=1)
        await process(stock.sku, command, Context.start("a test", uuid4(), NOON))


@pytest.mark.parametrize("every", [0, -1])
def test_a_declaration_has_to_make_sense(every: int) -> None:
    """A snapshot after no event cannot be declared."""
    with pytest.raises(ValueError, match="every 1 event or more"):
        Snapshots(every=every)


async def test_the_same_snapshot_is_the_same_event(stock: Stock) -> None:
    """Two processes that keep the same state write one event, and another content is another."""
    newest = await stock.newest()

    assert SnapshotTaken.model_validate_json(newest.model_dump_json()).id == newest.id
    assert newest.model_copy(update={"commands": ""}).id != newest.id
