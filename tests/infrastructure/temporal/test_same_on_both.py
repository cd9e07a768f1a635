"""One definition, two engines: the same events of the saga, and the same commands under one id."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress

import pytest
from temporalio.client import Client

from application.sagas.operating import CompensateSaga, ResolveSaga, RetrySaga
from application.sagas.state import SagaStatus
from domain.decider import DomainError
from infrastructure.providers.simulated import Fault
from tests.infrastructure.temporal.bank import TemporalBank
from tests.infrastructure.temporal.told import commands, told
from tests.infrastructure.temporal.worlds import CutOff, at_work, settled
from tests.sample.transfers import CancelTransfer
from tests.sample.world import Bank

Story = Callable[[Bank], Awaitable[None]]


async def a_transfer(bank: Bank) -> None:
    await bank.deposit(a=5)
    await bank.request()
    await bank.settle()


async def too_little(bank: Bank) -> None:
    await bank.deposit(a=1)
    await bank.request()
    await bank.settle()


async def without_a_fee(bank: Bank) -> None:
    await bank.deposit(a=5)
    await bank.request(fee="0 EUR")
    await bank.settle()


async def delayed(bank: Bank) -> None:
    """It waits for its next attempt."""
    await bank.deposit(a=5)
    await bank.request()
    await bank.work()


async def cancelled_meanwhile(bank: Bank) -> None:
    await delayed(bank)
    await bank.tell("t-1", CancelTransfer(reason="a mistake"))
    await bank.settle()


async def retried_meanwhile(bank: Bank) -> None:
    await delayed(bank)
    await bank.tell("t-1", RetrySaga(by="ada", reason="it is back"))
    await bank.settle()


async def compensated_meanwhile(bank: Bank) -> None:
    await delayed(bank)
    await bank.tell("t-1", CompensateSaga(by="ada", reason="no more"))
    await bank.settle()


async def compensated_when_completed(bank: Bank) -> None:
    await a_transfer(bank)
    await bank.tell("t-1", CompensateSaga(by="ada", reason="too late"))
    await bank.settle()
    await bank.tell("t-1", ResolveSaga(by="ada", reason="paid back by hand"))
    await bank.settle()


async def from_a_deleted_account(bank: Bank) -> None:
    bank.store.delete("account-a")
    await bank.request()
    await bank.settle()


async def to_a_deleted_account(bank: Bank) -> None:
    await bank.deposit(a=5, b=5)
    bank.store.delete("account-b")
    await bank.request()
    await bank.settle()
    await bank.tell("t-1", RetrySaga(by="ada", reason="perhaps it is back"))
    await bank.settle()


AT_ONCE = 16  # banks, each with a worker: a repeated activity waits a second of real time
SILENT_TWICE = Fault(kind="drop", times=2)
AWAY_ONCE = [Fault(kind="unavailable", call="redeem", times=1)]
STORIES: Sequence[tuple[str, Story, Sequence[Fault]]] = [
    ("all goes well", a_transfer, ()),
    ("too little on the account", too_little, ()),
    ("nothing to pay", without_a_fee, ()),
    ("the fee is declined", a_transfer, [Fault(kind="decline", call="redeem", times=1)]),
    ("the issuer is away", a_transfer, [Fault(kind="unavailable", call="redeem", times=2)]),
    ("the issuer is silent", a_transfer, [SILENT_TWICE]),
    ("the issuer acts late", a_transfer, [Fault(kind="late", call="redeem", times=1)]),
    ("the issuer acts twice", a_transfer, [Fault(kind="twice", call="redeem", times=1)]),
    ("the issuer is slow", a_transfer, [Fault(kind="slow", call="redeem", seconds=60)]),
    ("the issuer stays away", a_transfer, [Fault(kind="unavailable", call="redeem")]),
    ("the issuer stays silent", a_transfer, [Fault(kind="drop", call="redeem")]),
    (
        "undoing takes long",
        a_transfer,
        [
            Fault(kind="unavailable", call="redeem"),
            Fault(kind="unavailable", call="restore", times=9),
        ],
    ),
    ("cancelled meanwhile", cancelled_meanwhile, AWAY_ONCE),
    ("retried meanwhile", retried_meanwhile, AWAY_ONCE),
    ("compensated meanwhile", compensated_meanwhile, AWAY_ONCE),
    ("compensated when completed", compensated_when_completed, ()),
    ("from a deleted account", from_a_deleted_account, ()),
    ("to a deleted account", to_a_deleted_account, ()),
]


@pytest.mark.parametrize(("story", "faults"), [pytest.param(*of, id=id) for id, *of in STORIES])
async def test_both_engines_do_the_same(
    story: Story, faults: Sequence[Fault], skipping: Client
) -> None:
    """The same story has the same events in the saga's stream, and the same commands."""
    plain = Bank(*faults)
    await story(plain)
    async with at_work(TemporalBank, skipping, *faults) as bank:
        await story(bank)

    assert told(bank) == told(plain)
    assert commands(bank) == commands(plain)


@pytest.mark.parametrize("moment", range(5, 40, 3))
async def test_cancelled_at_any_moment_nothing_is_left_over(moment: int, skipping: Client) -> None:
    """Before its point of no return all is undone; after it the cancellation is refused."""
    async with at_work(TemporalBank, skipping) as bank:
        await bank.deposit(a=2)
        await bank.request()

        async def cancelled() -> None:
            with suppress(DomainError):
                await bank.tell("t-1", CancelTransfer(reason="at the last moment"))

        bank.moments.happens = {moment: cancelled}
        await bank.settle()
        await bank.adds_up()


async def test_cut_off_at_every_moment(skipping: Client) -> None:
    """Wherever an activity is cut off, it is repeated, and all ends as in one clean run.

    Meanwhile the provider gives no answer twice.
    """
    async with at_work(TemporalBank, skipping, SILENT_TWICE) as clean:
        await a_transfer(clean)

    for first in range(1, clean.moments.passed + 1, AT_ONCE):
        async with AsyncExitStack() as stack:
            banks = [
                await stack.enter_async_context(at_work(TemporalBank, skipping, SILENT_TWICE))
                for _ in range(AT_ONCE)
            ]
            for moment, bank in enumerate(banks, first):
                await bank.deposit(a=5)
                await bank.request(f"cut-off-at-{moment}")
                bank.moments.happens = {moment: cut_off}
            await settled(*banks)
            for moment, bank in enumerate(banks, first):
                await bank.adds_up()
                assert bank.saga(f"cut-off-at-{moment}").status is SagaStatus.COMPLETED


async def cut_off() -> None:
    raise CutOff("the process has ended here")
