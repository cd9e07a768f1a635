"""Moving the position of the forwarder: what is published again, and what is skipped."""

import pytest

from application.publishing_behind import ForwardingFailed
from application.replaying import Replay, planned
from infrastructure import memory
from tests.application.test_forwarding import NOON, Bank, all_published, requested, running
from tests.sample.accounts import Deposited
from tests.sample.service import SAMPLE
from tests.sample.transfers import TransferApproved, TransferCompleted
from tests.waiting import until


async def plan(bank: Bank, first: int) -> Replay:
    """To publish from this position on."""
    log, payloads = memory.Subscriptions(bank.log), bank.payloads
    standing = await bank.bus.standing()
    return await planned(
        log, SAMPLE.contract, payloads, standing, lambda recorded: recorded.position >= first
    )


@pytest.fixture
async def bank() -> Bank:
    """Three records are on its bus, and one is not."""
    bank = Bank()
    await bank.record("transfer-1", requested(), TransferApproved(), TransferCompleted())
    await bank.record("account-a", Deposited(deposit_id="d", amount=1))
    async with running(bank.forwarder()[0]):
        await all_published(bank)
    await bank.record("account-a", Deposited(deposit_id="d-2", amount=1))
    return bank


async def test_what_is_published_again_is_counted_by_topic(bank: Bank) -> None:
    """Of events that lead to a record; those that are on the bus come again, the rest as ever."""
    everything = await plan(bank, 0)
    assert everything == Replay(-1, {"bank.transfer": 2, "bank.account": 2}, again=3, skipped=0)
    (first, *_, second) = [one.position for one in bank.log.after(-1, 3)]
    assert await plan(bank, second) == Replay(
        first, {"bank.transfer": 1, "bank.account": 2}, again=2, skipped=0
    )


async def test_what_is_skipped_is_counted(bank: Bank) -> None:
    """Going on after the end leaves out what is not on the bus yet."""
    end = bank.log.last_position
    assert await plan(bank, end + 1) == Replay(end, {}, again=0, skipped=1)


async def test_a_forwarder_goes_on_from_there(bank: Bank) -> None:
    """One that runs is fenced, and publishes again under the same ids; the count goes on."""
    async with running(bank.forwarder()[0]):
        await until(lambda: len(bank.ids) == 4)
        before = await bank.bus.standing()
        everything = await plan(bank, 0)
        await bank.bus.move(everything.standing(before, "ada", NOON))
        await bank.record("account-b", Deposited(deposit_id="d", amount=1))
        await until(lambda: len(bank.ids) == 9)
    assert len(set(bank.ids)) == 5
    assert bank.bus.kept is not None
    assert bank.bus.kept.published == 9


async def test_a_forwarder_goes_on_in_a_restored_log(bank: Bank) -> None:
    """What is on the bus is ahead of it; after the move, only new events are published."""
    bank.log.restore(0)
    end = await plan(bank, bank.log.last_position + 1)
    assert (end.position, end.skipped) == (0, 0)
    await bank.bus.move(end.standing(bank.bus.kept, "ada", NOON))
    before = len(bank.ids)
    async with running(bank.forwarder()[0]):
        await bank.record("account-c", Deposited(deposit_id="d", amount=1))
        await until(lambda: len(bank.ids) == before + 1)


async def test_an_event_that_cannot_be_translated_is_named(bank: Bank) -> None:
    """It would stop the forwarder, so the plan is refused."""
    await bank.record("transfer-2", requested(note="long " * 5_000))
    bank.payloads = memory.PayloadStore()
    with pytest.raises(ForwardingFailed, match="transfer-2@0"):
        await plan(bank, 0)
