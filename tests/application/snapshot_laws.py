"""With snapshots or without, by any commands: a suite that is run on one service.

A module of tests imports all of it, and says by ``pytest_generate_tests = of(…)`` on what it runs.
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from application.catalogue import Catalogue
from application.category import Category
from application.command_dispatch import CommandDispatch, CommandIdReused
from application.messages import Context
from application.snapshots import Snapshot, Snapshots, Traces, restore, take
from domain.decider import Command, DomainError
from infrastructure import memory
from tests.application.snapped import NOON, declared
from tests.histories import LAW, Histories

__all__ = ["test_every_state_can_be_kept", "test_snapshots_change_nothing"]

Step = tuple[UUID, Command]


@st.composite
def asked(draw: st.DrawFn, histories: Histories, category: Category) -> Sequence[Step]:
    """Commands with their ids: some are sent again, and some ids for another command."""
    steps: list[Step] = []
    for number, command in enumerate(draw(histories.commands(category))):
        steps.append((uuid5(UUID(int=0), str(number)), command))
        match draw(st.sampled_from(["new", "new", "repeated", "reused"])):
            case "repeated":
                steps.append(draw(st.sampled_from(steps)))
            case "reused":
                steps.append((draw(st.sampled_from(steps))[0], command))
    return steps


async def lived(
    steps: Sequence[Step], catalogue: Catalogue, remember: int
) -> tuple[Sequence[Any], Sequence[Any]]:
    """What came of each, every one by a process of its own unless it remembers; and the stream."""
    store, answers, told = memory.EventStore(catalogue), list[Any](), list[str]()

    def process() -> CommandDispatch:
        return CommandDispatch(
            store,
            catalogue,
            remember=remember,
            report=lambda _, why: told.append(why),
        )

    dispatch = process()
    for command_id, command in steps:
        dispatch = dispatch if remember else process()
        try:
            outcome = await dispatch("x", command, Context.start("a test", command_id, NOON))
            answers.append((outcome.version, tuple(outcome.events), outcome.repeated))
        except (DomainError, CommandIdReused) as refusal:
            answers.append((type(refusal), str(refusal)))
    stream = catalogue.by_command[type(steps[0][1])].stream("x")
    assert told == [], "a snapshot of our own was not believed"
    return answers, [(of.id, of.type, of.data) async for of in store.read(stream)]


@LAW
@given(data=st.data(), every=st.integers(1, 5), remember=st.sampled_from([0, 0, 1]))
def test_snapshots_change_nothing(
    histories: Histories, category: Category, data: st.DataObject, every: int, remember: int
) -> None:
    """Whatever is asked, repeated or asked under a used id: outcomes and events are the same."""
    steps, catalogue = data.draw(asked(histories, category)), histories.service.catalogue

    with_them = asyncio.run(lived(steps, declared(every, of=catalogue), remember))
    assert with_them == asyncio.run(lived(steps, catalogue, remember))


@LAW
@given(data=st.data())
def test_every_state_can_be_kept(
    histories: Histories, category: Category, data: st.DataObject
) -> None:
    """After any history, what is restored equals what was taken."""
    state = category.decider.fold(data.draw(histories.events(category)))
    declaration = Snapshots(every=1)
    taken = take(Snapshot(3, UUID(int=1), state, Traces()), declaration, category.decider)

    assert restore(taken, declaration, category.decider).state == state
