"""Performing: any service declares calls of its own, and how each is performed."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from application.messages import Context
from application.sagas.actions import Dispatch, OutsideCall
from application.sagas.outcomes import Succeeded
from application.sagas.performing import CallPerformer, NoPerformer, Performer, Record
from domain.decider import Command
from tests.application.snapped import NOON


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
