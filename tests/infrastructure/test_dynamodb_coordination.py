"""Checkpoints and leases in DynamoDB where answers are lost, pages are cut and clocks differ."""

from collections.abc import AsyncIterator
from email.utils import formatdate

import pytest

from application.ports import CheckpointMoved, StoreUnavailable
from infrastructure.dynamodb import Checkpoints, Leases, StoreClock
from infrastructure.dynamodb.client import connect
from infrastructure.dynamodb.tables import COORDINATION
from tests.dynamodb.faults import Faults, answer_lost, short_page, throttled
from tests.dynamodb.opened import database


@pytest.fixture
async def lossy(dynamodb: str) -> AsyncIterator[tuple[Checkpoints, Faults]]:
    """Checkpoints behind faults; the client repeats a call, as in the service."""
    faults = Faults()
    async with (
        database(dynamodb, tables=[COORDINATION]) as plain,
        connect(endpoint=dynamodb, prefix=plain.prefix, http=faults.session) as opened,
    ):
        yield Checkpoints(opened), faults


@pytest.mark.parametrize("expected", [None, 7])
async def test_a_lost_answer_is_not_taken_for_another_follower(
    lossy: tuple[Checkpoints, Faults], expected: int | None
) -> None:
    """The client repeats an advance whose answer was lost. It has moved the checkpoint itself."""
    checkpoints, faults = lossy
    if expected is not None:
        await checkpoints.advance("one", expected, expected=None)
    faults.only(answer_lost, "UpdateItem", times=1)

    await checkpoints.advance("one", 9, expected=expected)

    assert await checkpoints.load("one") == 9
    with pytest.raises(CheckpointMoved):
        await checkpoints.advance("one", 9, expected=expected)


async def test_a_throttled_checkpoint_is_unavailable(lossy: tuple[Checkpoints, Faults]) -> None:
    """Throttling that lasts raises ``StoreUnavailable``, and never ``CheckpointMoved``."""
    checkpoints, faults = lossy
    faults.only(throttled, "UpdateItem")

    with pytest.raises(StoreUnavailable):
        await checkpoints.advance("one", 9, expected=None)

    faults.only(throttled, "UpdateItem", times=0)
    assert await checkpoints.load("one") is None


async def test_all_shards_are_forgotten_over_cut_pages(lossy: tuple[Checkpoints, Faults]) -> None:
    """Every shard is found where each page holds one item, and where keys are left unprocessed."""
    checkpoints, faults = lossy
    of = [("one", shard) for shard in range(5)]
    for name, shard in of:
        await checkpoints.advance(name, shard, expected=None, events=2, shard=shard)
    faults.only(short_page)

    assert await checkpoints.standings(of) == {one: (one[1], 2) for one in of}
    await checkpoints.forget("one")
    assert await checkpoints.standings(of) == {}


async def test_a_lease_ends_by_the_clock_of_the_store(dynamodb: str) -> None:
    """A process whose clock is an hour ahead does not take a lease that has not ended."""
    async with database(dynamodb, tables=[COORDINATION]) as opened:
        right, ahead = StoreClock(), StoreClock(machine=lambda: 4e9)
        ahead.answered(formatdate(1_800_000_000), sent=0.0, received=0.1)
        right.answered(formatdate(1_800_000_000), sent=0.0, received=0.1)

        assert await Leases(opened, right).claim("work", "ann", seconds=60)
        assert not await Leases(opened, ahead).claim("work", "bob", seconds=60)


def test_answers_narrow_the_time_down() -> None:
    """The store's time is in the second of an answer, and every other answer narrows it down."""
    now = 100.0
    clock = StoreClock(monotonic=lambda: now)

    clock.answered(formatdate(1000), sent=99.5, received=100.0)  # it is 1000.0 to 1001.5
    assert (clock.earliest().timestamp(), clock.latest().timestamp()) == (1000.0, 1001.5)
    clock.answered(formatdate(1001), sent=99.9, received=100.0)  # it is 1001.0 to 1002.1
    assert (clock.earliest().timestamp(), clock.latest().timestamp()) == (1001.0, 1001.5)


def test_a_clock_that_was_set_is_believed() -> None:
    """Where answers contradict what was known, the newest counts alone."""
    clock = StoreClock(monotonic=lambda: 100.0)
    clock.answered(formatdate(1000), sent=100.0, received=100.0)
    clock.answered(formatdate(5000), sent=100.0, received=100.0)

    assert (clock.earliest().timestamp(), clock.latest().timestamp()) == (5000.0, 5001.0)


async def test_answers_of_the_server_set_the_clock(dynamodb: str) -> None:
    """A call through the client is enough. It holds whatever the clock of the machine shows."""
    async with database(dynamodb, tables=[COORDINATION]) as opened:
        clock = StoreClock.of(opened)
        clock._machine = lambda: 0.0
        await Leases(opened, clock).holder("work")

        assert clock.earliest().year > 2000
        assert (clock.latest() - clock.earliest()).total_seconds() < 60


async def test_without_dates_the_clock_of_the_machine_counts(dynamodb: str) -> None:
    """Answers without a date change nothing."""
    without_dates = Faults()  # its answers have no headers
    async with database(dynamodb, without_dates, tables=[COORDINATION]) as opened:
        clock = StoreClock.of(opened)
        clock._machine = lambda: 5.0
        await Leases(opened, clock).holder("work")

        assert clock.earliest().timestamp() == 5.0
