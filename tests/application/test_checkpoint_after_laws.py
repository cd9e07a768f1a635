"""The law of views whose checkpoint comes after them: whatever happens, they end as one clean run.

Between any two writes the process may end, the store may go away, or another runner may write, one
that should have stopped included. Each view says which events it is made of, so a moment is right
when every view is what the log up to its position makes of it.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import cycle
from typing import Any, Generic

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.ports import (
    Changed,
    Checkpoints,
    GuardedViews,
    Progress,
    Removed,
    Seen,
    StoreUnavailable,
    V,
)
from application.projections.builds import Build
from application.projections.checkpoint_after import CheckpointAfter
from application.projections.projection import Change, Parts, Projection, View
from application.projections.runner import ProjectionRunner
from infrastructure import memory
from tests.histories import law
from tests.projection_specification import recorded
from tests.sample.accounts import Deposited
from tests.sample.aggregates import ACCOUNT
from tests.sample.service import SAMPLE
from tests.waiting import until

NAME = Build("tallies", 1)


class Tally(View):
    """The numbers that a member has had. Seven ends it; any but nine begins another."""

    numbers: tuple[int, ...] = ()


class Room(View):
    """How many members are in a room, and the sum of their last numbers."""

    members: int
    total: int


class Member(View):
    room: str
    number: int


def number_of(event: RecordedEvent) -> int:
    assert isinstance(event.event, Deposited)
    return event.event.amount


def of_member(event: RecordedEvent) -> Collection[str]:
    return (event.stream_id,)


def require(known: View | None, number: int) -> None:
    if number == 9 and known is None:
        raise LookupError("nobody there can have a nine")


def tallied(tally: Tally | None, event: RecordedEvent) -> Tally | None:
    number = number_of(event)
    require(tally, number)
    return None if number == 7 else Tally(numbers=(*(tally.numbers if tally else ()), number))


def moved(member: Member | None, event: RecordedEvent) -> Member | None:
    number = number_of(event)
    require(member, number)
    return None if number == 7 else Member(room=f"room {number % 3}", number=number)


def gathered(_: str, room: Room | None, changes: Sequence[Change[Member]]) -> Room | None:
    """By what changes only: a change that comes twice, or never, is seen in the sum."""
    members, total = (room.members, room.total) if room else (0, 0)
    for before, after in changes:
        if before:
            members, total = members - 1, total - before.number
        if after:
            members, total = members + 1, total + after.number
    return Room(members=members, total=total) if members else None


TALLIES = Projection(
    name="tallies", version=1, view=Tally, follows=(ACCOUNT,), keys=of_member, evolve=tallied
)
ROOMS = Projection(
    name="tallies",
    version=1,
    view=Room,
    follows=(ACCOUNT,),
    parts=Parts(
        part=Member,
        keys=of_member,
        evolve=moved,
        views=lambda member: (member.room,),
        gather=gathered,
    ),
)

Numbers = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)), min_size=1, max_size=24)
BatchSizes = st.lists(st.integers(1, 5), min_size=1, max_size=4)


def events_of(numbers: Sequence[tuple[str, int]]) -> Sequence[RecordedEvent]:
    """Of those that can have happened: a nine comes only to a member that is there."""
    happened, there = list[tuple[str, Deposited]](), set[str]()
    for place, (member, number) in enumerate(numbers):
        if number == 9 and member not in there:
            continue
        happened.append((f"account-{member}", Deposited(deposit_id=f"d-{place}", amount=number)))
        (there.discard if number == 7 else there.add)(member)
    assume(happened)
    return recorded(SAMPLE.catalogue, happened)


def tallies_at(events: Sequence[RecordedEvent], position: int) -> Mapping[str, Tally]:
    """What the log up to there makes of them, worked out from the first event on."""
    found: dict[str, tuple[int, ...]] = {}
    for event in events:
        if event.position <= position:
            number = number_of(event)
            found[event.stream_id] = (*found.get(event.stream_id, ()), number)
            if number == 7:
                del found[event.stream_id]
    return {member: Tally(numbers=numbers) for member, numbers in found.items()}


def rooms_at(events: Sequence[RecordedEvent], position: int) -> Mapping[str, Room]:
    """The same, from the last number of each member."""
    last = {e.stream_id: number_of(e) for e in events if e.position <= position}
    rooms: dict[str, list[int]] = {}
    for number in last.values():
        if number != 7:
            rooms.setdefault(f"room {number % 3}", []).append(number)
    return {room: Room(members=len(all), total=sum(all)) for room, all in rooms.items()}


ORACLES: Mapping[str, Any] = {"tallies": (TALLIES, tallies_at), "rooms": (ROOMS, rooms_at)}


class Log:
    """Subscriptions to these events, after which nothing comes."""

    def __init__(self, events: Sequence[RecordedEvent]) -> None:
        self._events, self.end = events, events[-1].position

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, only: EventFilter
    ) -> AsyncIterator[AsyncIterator[RecordedEvent | Progress]]:
        del only  # all are wanted
        yield self._messages(-1 if after is None else after)

    async def _messages(self, after: int) -> AsyncIterator[RecordedEvent | Progress]:
        for event in self._events:
            if event.position > after:
                yield event
        yield Progress(self.end, caught_up=True)
        await asyncio.Event().wait()


class Watched(Generic[V]):
    """Guarded views that are written one at a time, each after something has happened."""

    def __init__(self, views: GuardedViews[V], happens: "Happenings") -> None:
        self._views, self._happens = views, happens
        self.prepare, self.clear = views.prepare, views.clear

    async def load(self, keys: Collection[str]) -> Changed[V]:
        await self._happens()
        return await self._views.load(keys)

    async def write(self, changed: Changed[V]) -> None:
        for key, new in changed.items():
            await self._happens()
            await self._views.write({key: new})


class Happenings:
    """What happens before each write: others take their turns, or it ends here."""

    def __init__(self, turns: Iterator[int], ends: Mapping[int, bool] | None = None) -> None:
        """``ends``: at which write, and whether only the store goes away, or the process."""
        self._turns, self._ends, self._writes = turns, ends or {}, 0

    async def __call__(self) -> None:
        self._writes += 1
        for _ in range(next(self._turns)):
            await asyncio.sleep(0)
        match self._ends.get(self._writes):
            case True:
                raise StoreUnavailable("it went away")
            case False:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
                await asyncio.sleep(0)


class Place:
    """Where the views, the parts and the checkpoint of one projection are kept."""

    def __init__(self, projection: Projection[Any]) -> None:
        self.projection = projection
        self.views, self.parts = memory.GuardedViews[Any](), memory.GuardedViews[Any]()
        self.checkpoints: Checkpoints = memory.Checkpoints()

    def runner(self, log: Log, happens: Happenings, batch: int) -> ProjectionRunner[Any]:
        written = Watched(self.views, happens), Watched(self.parts, happens)
        after = CheckpointAfter(NAME, *written, self.checkpoints)
        return ProjectionRunner(
            self.projection, log, after, None, batch=batch, pause=lambda _: asyncio.sleep(0)
        )

    async def shown(self) -> Mapping[str, Any]:
        keys = [*"abc", *(f"room {number}" for number in range(3))]
        known = await self.views.load(keys)
        return {key: one.view for key, one in known.items() if isinstance(one, Seen)}

    async def require_true(self, events: Sequence[RecordedEvent], at: Any) -> None:
        """Each view, or its absence, is what the log up to its position makes of it."""
        keys = [*"abc", *(f"room {number}" for number in range(3))]
        for key, one in (await self.views.load(keys)).items():
            right = at(events, one.position).get(key)
            assert right == (None if isinstance(one, Removed) else one.view), (key, one.position)


async def run(runner: ProjectionRunner[Any], end: int) -> None:
    """Until everything is in, or it has ended."""
    task = asyncio.create_task(runner.run())
    try:
        await until(lambda: task.done() or runner.status().position == end)
    finally:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        await task


@pytest.mark.parametrize("which", ORACLES)
@law(200)
@given(
    numbers=Numbers,
    sizes=BatchSizes,
    crashes=st.lists(st.dictionaries(st.integers(1, 30), st.booleans(), max_size=3), max_size=4),
)
async def test_crashes_between_any_two_writes_leave_no_trace(
    which: str,
    numbers: Sequence[tuple[str, int]],
    sizes: Sequence[int],
    crashes: Sequence[Mapping[int, bool]],
) -> None:
    """Restarted with other batches after each crash: at any time and in the end, views are true."""
    projection, at = ORACLES[which]
    events, size = events_of(numbers), cycle(sizes)
    log, place = Log(events), Place(projection)

    for ends in [*crashes, {}]:
        await run(place.runner(log, Happenings(cycle([0]), ends), next(size)), log.end)
        await place.require_true(events, at)

    assert await place.shown() == at(events, log.end)
    assert await place.checkpoints.load(NAME.table) == log.end


@pytest.mark.parametrize("which", ORACLES)
@law(200)
@given(
    numbers=Numbers,
    sizes=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    turns=st.tuples(*(st.lists(st.integers(0, 12), min_size=1, max_size=8) for _ in range(2))),
)
# Found where a batch was folded before the last one was written, and where views were loaded first.
@example(
    numbers=[("a", 1), ("a", 2), ("b", 1), ("b", 1), ("a", 1), ("a", 1)],
    sizes=(2, 5),
    turns=([0], [0]),
)
@example(numbers=[("a", 1), ("a", 2)], sizes=(1, 2), turns=([0], [0, 2]))
async def test_two_runners_at_once_leave_no_trace(
    which: str,
    numbers: Sequence[tuple[str, int]],
    sizes: tuple[int, int],
    turns: tuple[Sequence[int], Sequence[int]],
) -> None:
    """Two that both believe that they are the only one: neither spoils what the other wrote."""
    projection, at = ORACLES[which]
    events = events_of(numbers)
    log, place = Log(events), Place(projection)

    runners = [
        place.runner(log, Happenings(cycle(turn)), size)
        for size, turn in zip(sizes, turns, strict=True)
    ]
    await asyncio.gather(*(run(runner, log.end) for runner in runners))

    await place.require_true(events, at)
    assert await place.shown() == at(events, log.end)
    assert await place.checkpoints.load(NAME.table) == log.end
