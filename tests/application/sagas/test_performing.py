"""Performing: any service declares calls of its own, and how each is performed."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from application.command_dispatch import CommandDispatch
from application.messages import Context
from application.ports import OutcomeUnknown
from application.sagas.actions import Dispatch, OutsideCall
from application.sagas.outcomes import Refused, Succeeded
from application.sagas.performing import CallPerformer, NoPerformer, Performer, Record
from domain.decider import Command
from infrastructure import memory
from infrastructure.providers.simulated import Fault, Faults, SimulatedConnection
from tests.application.snapped import NOON
from tests.sample.accounts import Deposited
from tests.sample.gift_card_calls import TopUp, gift_card_calls
from tests.sample.gift_cards import SIMULATED, GiftCards
from tests.sample.service import SAMPLE


class Note(Command):
    """Stands for any command."""


@dataclass(frozen=True)
class Greet(OutsideCall):
    name: str


@dataclass(frozen=True)
class Greeting(Greet):
    """A call of another class, though it has the same content."""


class Noted:
    """Notes on which aggregate a command was carried out."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    async def __call__(self, id: str, *_: Any, **__: Any) -> None:
        self.ids.append(id)


async def greet(call: Greet, record: Record) -> None:
    await record(f"greeting of {call.name}", Note())


def performer(noted: Noted, *calls: CallPerformer[Any]) -> Performer:
    return Performer(noted, calls)  # type: ignore[arg-type]  # it notes


def context() -> Context:
    return Context.start("a saga", uuid4(), NOON)


async def test_a_call_is_performed_by_what_is_declared_for_its_class() -> None:
    """The performer is handed the call, and records by commands."""
    noted = Noted()
    perform = performer(noted, CallPerformer(Greet, greet))

    assert await perform([Greet("Ann"), Dispatch("a-1", Note())], context()) == Succeeded()

    assert sorted(noted.ids) == ["a-1", "greeting of Ann"]


async def test_a_call_without_a_performer_is_named_and_nothing_is_done() -> None:
    """The error says what to declare, and comes before any action of the step."""
    noted = Noted()
    perform = performer(noted, CallPerformer(Greet, greet))

    with pytest.raises(NoPerformer, match=r"performs Greeting: add a CallPerformer\(Greeting, "):
        await perform([Dispatch("a-1", Note()), Greet("Ann"), Greeting("Ann")], context())

    assert noted.ids == []


def test_a_call_has_one_performer() -> None:
    """Two for one class are refused when the performer is made."""
    with pytest.raises(ValueError, match="Greet has 2 performers: declare one"):
        performer(Noted(), CallPerformer(Greet, greet), CallPerformer(Greet, greet))


TOP_UP = TopUp("a-1", "d-1", "a card", 500)


class Bank:
    """Accounts that are topped up by gift cards, and an issuer that misbehaves as faults say."""

    def __init__(self, *faults: Fault, patience: float | None = None) -> None:
        self.log = memory.EventStore(SAMPLE.catalogue)
        self.issuer = SimulatedConnection(SIMULATED[0], Faults(faults), patience=patience)
        calls = gift_card_calls(GiftCards(self.issuer))
        self.perform = Performer(CommandDispatch(self.log, SAMPLE.catalogue), calls)
        self.context = context()

    async def deposits(self) -> list[Any]:
        return [recorded.event async for recorded in self.log.read("account-a-1")]


async def test_a_call_that_is_performed_again_acts_and_is_recorded_once() -> None:
    """Its key and the id of its command are the same each time."""
    bank = Bank()

    for _ in range(3):
        assert await bank.perform([TOP_UP], bank.context) == Succeeded()

    assert await bank.deposits() == [Deposited(deposit_id="d-1", amount=500)]
    assert [record.card for record in await bank.issuer.records()] == ["a card"]


async def test_a_call_without_an_answer_is_looked_up() -> None:
    """What the provider has granted is recorded, though its answer was lost."""
    bank = Bank(Fault(kind="drop", call="redeem"))

    assert await bank.perform([TOP_UP], bank.context) == Succeeded()

    assert await bank.deposits() == [Deposited(deposit_id="d-1", amount=500)]


async def test_an_outcome_that_stays_unknown_is_raised() -> None:
    """The provider has not acted yet, but may: the engine tries again later, or undoes it."""
    bank = Bank(Fault(kind="slow", call="redeem", seconds=60), patience=0.01)

    with pytest.raises(OutcomeUnknown):
        await bank.perform([TOP_UP], bank.context)

    assert await bank.deposits() == []


async def test_a_decline_refuses_the_step() -> None:
    """With the provider's reason; nothing is recorded."""
    bank = Bank(Fault(kind="decline", card="a card"))

    assert await bank.perform([TOP_UP], bank.context) == Refused("the card is empty")

    assert await bank.deposits() == []
