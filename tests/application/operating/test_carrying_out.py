"""Actions of operators: shown before, carried out once, recorded with what came of them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from application.operating.action import Changed, Done, Preview, Refused, Tools
from application.operating.carrying_out import By, Operating
from application.operating.operation import AlreadyBegun, OperationBegun, OperationEnded, Outcome
from application.operating.read_models import DeployReadModel, OnReadModel
from application.operating.trail import trail
from application.ports import Reading, StoreUnavailable, Total, WrongRole
from application.projections.builds import Note
from application.projections.operating import What
from domain.decider import Event
from infrastructure.processes.service import projecting
from tests.sample.client import Bank, bank_over, empty_bank

WHY = "the disk is full"
ADA = By("ada", WHY, "a test")


@pytest.fixture
async def bank() -> AsyncIterator[Bank]:
    async with bank_over(empty_bank(), projects=False) as bank:
        yield bank


@dataclass
class Counted:
    """An action that counts how often it was done, or ends with this error."""

    error: BaseException | None = None
    times: int = 0
    number: int = 1
    name = "counting"
    target = "a number"
    long = False

    async def preview(self, _: Tools) -> Preview:
        return Preview("Counts.", self.number, before=f"{self.times} times")

    async def perform(self, _: Tools, note: Note) -> Done:
        assert (note.by, note.reason) == ("ada", "the disk is full")
        if self.error:
            raise self.error
        self.times += 1
        return Done("counted", f"{self.times} times")


def operating_of(bank: Bank) -> Operating:
    operating: Operating = bank.container.operating()
    return operating


async def recorded(bank: Bank, id: UUID) -> list[Event]:
    read = bank.container.event_store().read(f"operation-{id}")
    return [one.event async for one in read]


async def test_an_action_is_recorded_with_what_came_of_it(bank: Bank) -> None:
    """By whom, why, by which way, what was there before it, and after it."""
    id = uuid4()
    done = await operating_of(bank).carry_out(Counted(), ADA, id=id)

    assert done.what == "counted"
    assert await recorded(bank, id) == [
        OperationBegun(
            action="counting",
            target="a number",
            by="ada",
            reason="the disk is full",
            through="a test",
            before="0 times",
        ),
        OperationEnded(outcome=Outcome.DONE, detail="counted", after="1 times"),
    ]


async def test_what_is_sent_twice_is_done_once(bank: Bank) -> None:
    """Also when both come at the same time."""
    id, action = uuid4(), Counted()
    attempts = (operating_of(bank).carry_out(action, ADA, id=id) for _ in range(3))
    found = await asyncio.gather(*attempts, return_exceptions=True)

    assert action.times == 1
    assert sum(isinstance(one, AlreadyBegun) for one in found) == 2


async def test_what_is_not_as_it_was_shown_is_not_done(bank: Bank) -> None:
    """Another operator was first: the action would do something else now."""
    action = Counted()
    seen = (await operating_of(bank).preview(action)).digest
    action.number = 7

    with pytest.raises(Changed):
        await operating_of(bank).carry_out(action, ADA, seen=seen)
    assert action.times == 0


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Refused("not now"), Outcome.REFUSED),
        (WrongRole("not live"), Outcome.REFUSED),
        (StoreUnavailable("no answer"), Outcome.UNKNOWN),
        (TimeoutError(), Outcome.UNKNOWN),
        (asyncio.CancelledError(), Outcome.UNKNOWN),
        (ValueError("a bug"), Outcome.FAILED),
    ],
)
async def test_an_error_is_recorded_and_raised(
    bank: Bank, error: BaseException, outcome: Outcome
) -> None:
    """What may have been done is unknown, and is recorded as that."""
    id = uuid4()
    with pytest.raises(type(error)):
        await operating_of(bank).carry_out(Counted(error), ADA, id=id)

    begun, ended = await recorded(bank, id)
    assert isinstance(begun, OperationBegun)
    assert isinstance(ended, OperationEnded)
    assert ended.outcome is outcome


@pytest.mark.parametrize("by", [By("", "why"), By("ada", ""), By("a" * 65, "why")])
async def test_without_a_name_and_a_reason_nothing_is_done(bank: Bank, by: By) -> None:
    """They could not be recorded."""
    action = Counted()
    with pytest.raises(ValidationError):
        await operating_of(bank).carry_out(action, by)
    assert action.times == 0


async def test_a_build_is_dropped_by_its_own_name(bank: Bank) -> None:
    """After it, there is no build of that name to describe."""
    async with projecting(bank.container):
        await operating_of(bank).carry_out(DeployReadModel("balances"), ADA)
        done = await operating_of(bank).carry_out(OnReadModel(What.DROP, "balances_v1"), ADA)

    assert done.what == "balances_v1 is deleted, with its views"
    assert done.after.startswith("balances_v1_2 is live")


async def test_a_pause_shows_what_it_stops_and_what_is_stopped(bank: Bank) -> None:
    """Before: to which builds. After: that they are paused, by whom and why."""
    pause = OnReadModel(What.PAUSE, "balances")
    preview = await operating_of(bank).preview(pause)
    assert (preview.number, [*preview.examples]) == (1, ["balances_v1"])

    done = await operating_of(bank).carry_out(pause, ADA, seen=preview.digest)

    assert done.what == "balances_v1 is paused"
    assert "paused by ada: the disk is full" in done.after
    with pytest.raises(WrongRole, match="balances has not stopped"):
        await operating_of(bank).preview(OnReadModel(What.RETRY, "balances"))


async def test_the_trail_is_read_in_pages(bank: Bank) -> None:
    """Newest first, so many on a page, each action once; a page says how many there are."""
    for number in range(7):
        await operating_of(bank).carry_out(Counted(number=number), By("ada", WHY, f"way {number}"))
    browser, store = bank.container.event_browser(), bank.container.event_store()

    seen, after, more = list[str](), None, True
    while more:
        found = await trail(browser, store, Reading(after=after, limit=3))
        assert len(found.items) <= 3
        seen += [one.begun.through for one in found.items]
        after, more = found.reached, found.more

    assert seen == [f"way {number}" for number in reversed(range(7))]
    assert (await trail(browser, store, Reading(limit=3))).total == Total(3, "at least")
    assert (await trail(browser, store, Reading(limit=30))).total == Total(7)
