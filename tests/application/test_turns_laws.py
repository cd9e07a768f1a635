"""Many commands for one stream, in several processes, under faults: as one after another."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from application.catalogue import Catalogue
from application.command_dispatch import (
    CommandDispatch,
    CommandIdReused,
    CommandOutcome,
    StaleVersion,
    TooMuchContention,
)
from application.messages import Context, NewEvent, RecordedEvent
from application.ports import Appended, StoreUnavailable
from application.snapshots import Snapshots
from domain.decider import Command, DomainError
from infrastructure import memory
from tests.application.snapped import NOON
from tests.histories import law
from tests.sample import accounts
from tests.sample.accounts import Deposit, Hold, Release
from tests.sample.service import SAMPLE

STREAM = "account-x"
SPOILT = "spoilt"  # no store keeps a receipt of that name


class Troubled(memory.EventStore):
    """Takes its time, does not always answer, and cannot keep everything."""

    def __init__(self, chance: random.Random, answers: Sequence[str]) -> None:
        super().__init__(SAMPLE.catalogue)
        self._chance, self._answers = chance, list(answers)

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        await self._a_while()
        if any(SPOILT.encode() in event.data for event in events):
            raise ValueError("an event that cannot be kept")
        answer = self._answers.pop() if self._answers and stream == STREAM else "answered"
        if answer == "not done":
            raise StoreUnavailable(answer)
        appended = await super().append(stream, events, expected_version)
        await self._a_while()
        if answer == "done, not answered":
            raise StoreUnavailable(answer)
        return appended

    async def read(self, stream: str, **rest: Any) -> AsyncIterator[RecordedEvent]:
        async for recorded in super().read(stream, **rest):
            await self._a_while()
            yield recorded

    async def _a_while(self) -> None:
        for _ in range(self._chance.randint(0, 3)):
            await asyncio.sleep(0)

    @property
    def version(self) -> int:
        return len(self._streams[STREAM]) - 1


@dataclass
class Call:
    """One caller's command, and what it heard when the stream had come from where to where."""

    command: Command
    command_id: UUID
    process: int = 0
    after: int = 0  # ticks before it comes
    expected_version: int | None = None
    gives_up: int | None = None  # after so many ticks
    heard: Any = None
    window: range = field(default=range(0))


def in_two_parts(command: Any, state: Any) -> Sequence[Any]:
    """Each delivery is booked twice: commands that lead to more than one event."""
    events: Sequence[Any] = accounts.decider.decide(command, state)
    if not isinstance(command, Deposit):
        return events
    again = [one.model_copy(update={"deposit_id": f"{one.deposit_id}~"}) for one in events]
    return [*events, *again]


DECIDER = replace(accounts.decider, decide=in_two_parts)


def catalogue(every: int | None) -> Catalogue:
    snapshots = None if every is None else Snapshots(every=every)
    category = replace(SAMPLE.catalogue.by_command[Deposit], decider=DECIDER, snapshots=snapshots)
    return Catalogue([category])


COMMANDS = st.one_of(
    st.builds(
        Deposit,
        deposit_id=st.sampled_from(["r-1", "r-2", "r-3", SPOILT]),
        amount=st.integers(1, 3),
    ),
    st.builds(
        Hold,
        transfer_id=st.sampled_from(["o-1", "o-2", "o-3", "o-4"]),
        amount=st.integers(1, 3),
    ),
    st.builds(Release, transfer_id=st.sampled_from(["o-1", "o-2"])),
)
CALLS = st.lists(
    st.builds(
        Call,
        command=COMMANDS,
        command_id=st.integers(0, 25).map(lambda number: uuid5(UUID(int=0), str(number))),
        process=st.sampled_from([0, 0, 1]),
        after=st.integers(0, 40),
        expected_version=st.one_of(st.none(), st.none(), st.none(), st.integers(-1, 8)),
        gives_up=st.one_of(st.none(), st.none(), st.none(), st.integers(0, 20)),
    ),
    min_size=1,
    max_size=25,
)
ANSWERS = st.lists(
    st.sampled_from(["answered", "answered", "not done", "done, not answered"]), max_size=12
)


@law(300)
@given(
    calls=CALLS,
    answers=ANSWERS,
    remember=st.sampled_from([0, 1, 1]),
    every=st.sampled_from([None, None, 2]),
    seed=st.integers(0, 1000),
)
def test_together_is_as_one_after_another(
    calls: Sequence[Call],
    answers: Sequence[str],
    remember: int,
    every: int | None,
    seed: int,
) -> None:
    """Each command is done once, whole, as decided on what was before it, or not at all; and each
    caller hears the truth."""
    store = Troubled(random.Random(seed), answers)
    asyncio.run(everyone(store, calls, remember, every))
    recorded = asyncio.run(whole(store))

    assert max(Counter(one.id for one in recorded).values(), default=1) == 1
    done = carried_out(recorded, calls)
    for call in calls:
        is_true(call, recorded, done)


async def everyone(
    store: Troubled, calls: Sequence[Call], remember: int, every: int | None
) -> None:
    processes = [
        CommandDispatch(store, catalogue(every), lambda _: asyncio.sleep(0), remember=remember)
        for _ in range(2)
    ]
    await asyncio.gather(*(one(store, processes[call.process], call) for call in calls))


async def one(store: Troubled, dispatch: CommandDispatch, call: Call) -> None:
    for _ in range(call.after):
        await asyncio.sleep(0)
    came = store.version
    context = Context.start("a test", call.command_id, NOON)
    asked = dispatch("x", call.command, context, expected_version=call.expected_version)
    task = asyncio.create_task(asked)
    if call.gives_up is not None:
        for _ in range(call.gives_up):
            await asyncio.sleep(0)
        task.cancel()
    try:
        call.heard = await task
    except (Exception, asyncio.CancelledError) as refusal:
        call.heard = refusal
    call.window = range(came, store.version + 1)


async def whole(store: Troubled) -> Sequence[RecordedEvent]:
    return [one async for one in memory.EventStore.read(store, STREAM)]


def carried_out(
    recorded: Sequence[RecordedEvent], calls: Sequence[Call]
) -> Mapping[UUID, tuple[Command, Sequence[RecordedEvent]]]:
    """Which command each id has led to; each is what its command decides on all before it."""
    done: dict[UUID, tuple[Command, Sequence[RecordedEvent]]] = {}
    version = 0
    while version < len(recorded):
        id = recorded[version].command_id
        assert id not in done, "a command was done twice"
        events = [one for one in recorded if one.command_id == id]
        assert [one.version for one in events] == [*range(version, version + len(events))]
        done[id] = (decided(id, events, recorded[:version], calls), events)
        version += len(events)
    return done


def decided(
    id: UUID,
    events: Sequence[RecordedEvent],
    before: Sequence[RecordedEvent],
    calls: Sequence[Call],
) -> Command:
    """The command of that id which decides so, where it was allowed to."""
    state: Any = DECIDER.fold(recorded.event for recorded in before)  # type: ignore[misc]  # ours
    for call in calls:
        allowed = call.expected_version in (None, len(before) - 1)
        if call.command_id != id or not allowed:
            continue
        with suppress(DomainError):
            if [*in_two_parts(call.command, state)] == [one.event for one in events]:
                return call.command
    raise AssertionError("nobody has asked for these events")


def is_true(
    call: Call,
    recorded: Sequence[RecordedEvent],
    done: Mapping[UUID, tuple[Command, Sequence[RecordedEvent]]],
) -> None:
    """What a caller heard is so, or was at a moment between its coming and its answer."""
    command, events = done.get(call.command_id, (None, ()))
    match call.heard:
        case CommandOutcome(position=int(position)) as outcome:
            assert command == call.command
            assert outcome.events == tuple(one.event for one in events)
            assert (outcome.version, position) == (events[-1].version, events[-1].position)
        case CommandOutcome(version=version):
            assert version in call.window
            assert in_two_parts(call.command, state_at(recorded, version)) == []
        case CommandIdReused():
            assert command not in (None, call.command)
        case StaleVersion():
            assert any(version != call.expected_version for version in call.window)
        case DomainError() as refusal:
            assert any(refuses(call, state_at(recorded, v), refusal) for v in call.window)
        case TooMuchContention():
            assert command is None or others(call, events)
        case ValueError():
            assert getattr(call.command, "deposit_id", None) == SPOILT
        case StoreUnavailable() | asyncio.CancelledError():
            pass  # done or not, which carried_out has found to be whole
        case other:
            raise AssertionError(other)


def others(call: Call, events: Sequence[RecordedEvent]) -> bool:
    """Another caller has sent the same command, and that one was carried out."""
    return all(one.command_id == call.command_id for one in events)


def state_at(recorded: Sequence[RecordedEvent], version: int) -> Any:
    return DECIDER.fold(one.event for one in recorded[: version + 1])  # type: ignore[misc]  # ours


def refuses(call: Call, state: Any, refusal: DomainError) -> bool:
    try:
        in_two_parts(call.command, state)
    except DomainError as again:
        return (type(again), str(again)) == (type(refusal), str(refusal))
    return False
