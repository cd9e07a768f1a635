"""With snapshots or without: by any commands, the same answers and the same stream."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.catalogue import Catalogue
from application.command_dispatch import CommandDispatch, TooMuchContention
from application.messages import Context
from application.snapshots import Snapshot, Snapshots, Traces, Unfit, restore, take
from domain.decider import Command
from infrastructure import memory
from tests.application.snapped import NOON, declared
from tests.application.snapshot_laws import *  # noqa: F403 - every law is a test of this suite
from tests.domain.decider_laws import of
from tests.histories import law
from tests.sample import accounts
from tests.sample.accounts import Deposit, Hold, InsufficientFunds
from tests.sample.histories import SAMPLE_HISTORIES
from tests.sample.service import SAMPLE

pytest_generate_tests = of(SAMPLE_HISTORIES)

PAGE = """
from dataclasses import dataclass, replace
from domain.decider import Decider

@dataclass(frozen=True)
class Sum:
    {field}: int = 0

def evolve(sum, event):
    return replace(sum, {field}=sum.{field} {does} event.amount)

decider = Decider(Sum(), evolve, lambda *_: [])
"""


@pytest.mark.parametrize(
    ("page", "fits"),
    [
        (PAGE.format(field="units", does="+") + "\n# now with a comment", True),
        (PAGE.format(field="units", does="-"), False),
        (PAGE.format(field="pieces", does="+"), False),
    ],
    ids=["comment", "evolve", "field"],
)
def test_what_was_taken_by_another_page_does_not_fit(
    page: str, fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to remember to count a number up: a changed page is noticed, a comment is not."""
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in (("before", PAGE.format(field="units", does="+")), ("after", page)):
        (tmp_path / f"{name}_{tmp_path.name}.py").write_text(text)
    before, after = (import_module(f"{n}_{tmp_path.name}").decider for n in ("before", "after"))
    declaration = Snapshots(every=1)
    taken = take(Snapshot(3, UUID(int=1), before.initial, Traces()), declaration, before)

    with nullcontext() if fits else pytest.raises(Unfit):
        assert restore(taken, declaration, after).state == after.initial


@law(40)
@given(every=st.integers(1, 4), remember=st.sampled_from([0, 1]), processes=st.integers(1, 4))
def test_racing_processes_carry_out_each_command_once(
    every: int, remember: int, processes: int
) -> None:
    """Thirty transfers race for twelve, each sent twice: twelve are served, once each."""
    asyncio.run(race(every, remember, processes))


async def race(every: int, remember: int, processes: int) -> None:
    store, told = memory.EventStore(SAMPLE.catalogue), list[str]()
    dispatches = [
        CommandDispatch(
            store,
            declared(every),
            lambda _: asyncio.sleep(0),
            remember=remember,
            report=lambda _, why: told.append(why),
        )
        for _ in range(processes)
    ]

    async def send(process: int, command: Command, number: int) -> str:
        context = Context.start("a test", uuid5(UUID(int=0), str(number)), NOON)
        while True:
            with suppress(TooMuchContention):
                try:
                    outcome = await dispatches[process % processes]("x", command, context)
                except InsufficientFunds:
                    return "refused"
                return f"served at version {outcome.version}"

    await send(0, Deposit(deposit_id="r", amount=12), -1)
    holds = [Hold(transfer_id=str(number), amount=1) for number in range(30)]
    answers = await asyncio.gather(
        *(send(n, hold, n) for n, hold in enumerate(holds)),
        *(send(n + 1, hold, n) for n, hold in enumerate(holds)),
    )

    served = {f"served at version {version}": 2 for version in range(1, 13)}
    assert Counter(answers) == {**served, "refused": 36}
    assert len([one async for one in store.read("account-x")]) == 13
    assert told == []


class Leisurely(memory.EventStore):
    """Lets others have their turn between any two events that it reads, and before it answers."""

    async def append(self, stream: str, *rest):  # type: ignore[no-untyped-def]  # as its parent
        appended = await super().append(stream, *rest)
        for _ in range(appended.version * 7 % 41):
            await asyncio.sleep(0)
        return appended

    async def read(self, stream: str, **rest):  # type: ignore[no-untyped-def]  # as its parent
        async for recorded in super().read(stream, **rest):
            yield recorded
            await asyncio.sleep(0)


def in_two_parts(command: Any, state: Any) -> Sequence[Any]:
    """Each deposit is booked twice, in two events: an append of one command, of more than one."""
    events: Sequence[Any] = accounts.decider.decide(command, state)
    again = [one.model_copy(update={"deposit_id": f"{one.deposit_id}~"}) for one in events]
    return [*events, *again]


@law(40)
@given(every=st.integers(1, 4), count=st.integers(5, 15))
def test_no_snapshot_is_taken_amid_an_append(every: int, count: int) -> None:
    """While many share what one process knows, each command is whole, or not there at all."""
    asyncio.run(deliveries(every, count))


async def deliveries(every: int, count: int) -> None:
    decider = replace(accounts.decider, decide=in_two_parts)
    category = replace(declared(every).by_command[Deposit], decider=decider)
    store, told = Leisurely(SAMPLE.catalogue), list[str]()

    def process() -> CommandDispatch:
        return CommandDispatch(
            store,
            Catalogue([category]),
            lambda _: asyncio.sleep(0),
            remember=1,
            report=lambda _, why: told.append(why),
        )

    async def send(dispatch: CommandDispatch, number: int) -> Sequence[Any]:
        command = Deposit(deposit_id=f"r-{number}", amount=1)
        context = Context.start("a test", uuid5(UUID(int=0), str(number)), NOON)
        while True:
            with suppress(TooMuchContention):
                outcome = await dispatch("x", command, context)
                return (outcome.version, [*outcome.events])

    shared = [process(), process()]
    answers = await asyncio.gather(*(send(shared[n % 2], n) for n in range(count)))
    taken: list[Any] = [one.event async for one in store.read("snapshot-account-x")]
    assert all(one.version % 2 for one in taken), "an append ends at 1, 3, 5 …"
    assert [await send(process(), n) for n in range(count)] == answers
    assert len([one async for one in store.read("account-x")]) == 2 * count
    assert told == []
