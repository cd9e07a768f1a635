"""A read model is rebuilt beside itself: nobody notices, nothing is lost, whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from application.messages import Context
from application.ports import Builds, ReadModels, WrongRole
from application.projections.builds import Build, Note, Role
from application.projections.deploying import Comparing, Deploy, DeployRefused, Differs, Filling
from application.projections.hosting import ProjectionHost
from application.projections.operating import Operations, UnknownReadModel
from application.projections.projection import Projection, View
from domain.decider import Event
from domain.values import Money
from infrastructure import (
    memory,
    postgres,  # only: postgres
)
from tests.filled import IN_MEMORY
from tests.projection_specification import at
from tests.sample.aggregates import TRANSFER
from tests.sample.service import SAMPLE
from tests.sample.transfers import TransferApproved, TransferRequested
from tests.waiting import until_true

NOTE = Note("ann", "a new release", datetime(2026, 1, 1, tzinfo=UTC))
REQUESTED = TransferRequested(source="a", target="b", amount=6, fee=Money.zero("EUR"))


class Seen(View):
    """A transfer, and twice how many events it has: a half-folded one would be odd."""

    events: int
    twice: int


class SeenAnew(Seen):
    thrice: int = 0


def declared(version: int, view: type[Seen] = Seen, more: int = 0) -> Projection[Any]:
    def evolve(seen: Seen | None, recorded: Any) -> Seen:
        if "ghost" in recorded.stream:
            raise LookupError("it was never requested")
        events = (seen.events - more if seen else 0) + 1
        return view(events=events + more, twice=2 * (events + more))

    return Projection(
        name="seen",
        version=version,
        view=view,
        follows=(TRANSFER,),
        keys=lambda recorded: (recorded.stream_id,),
        evolve=evolve,
        summed=("events", "twice"),
    )


V1, V2 = declared(1), declared(2, SeenAnew)
LIVE, NEXT = Build("seen", 1), Build("seen", 2)


class Clock:
    """The time of the books; a process that died holds its leases until it is moved on."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Place:
    """Events in memory, and read models anywhere."""

    builds: Builds
    read_models: ReadModels
    log: memory.EventStore = field(default_factory=lambda: memory.EventStore(SAMPLE.catalogue))
    holders: Any = field(default_factory=lambda: count(1))

    @classmethod
    def in_memory(cls, *projections: Projection[Any], clock: Clock | None = None) -> "Place":
        builds = memory.Builds(clock or Clock())
        return cls(builds, memory.ReadModels(projections or (V1, V2), builds))

    async def record(self, id: str, *events: Event, version: int = -1) -> None:
        context = Context.start("a test", uuid4(), at(0))
        new = [SAMPLE.catalogue.new_event(event, uuid4(), context) for event in events]
        await self.log.append(f"transfer-{id}", new, version)

    def host(self, *projections: Projection[Any], roles: Sequence[Role]) -> ProjectionHost:
        return ProjectionHost(
            projections,
            memory.Subscriptions(self.log),
            self.read_models,
            self.builds,
            None,
            holder=f"process {next(self.holders)}",
            roles=roles,
            tick=0.01,
        )

    def deploy(self, projection: Projection[Any]) -> Deploy:
        return Deploy(
            projection,
            self.host(projection, roles=(Role.BUILDING,)),
            builds=self.builds,
            read_models=self.read_models,
            store=memory.Subscriptions(self.log),
            pause=lambda _: asyncio.sleep(0.005),
        )

    @asynccontextmanager
    async def served(self, *projections: Projection[Any]) -> AsyncIterator[None]:
        """A service that fills the live build and the previous one."""
        await self.builds.register([projections[0]])
        host = self.host(*projections, roles=(Role.LIVE, Role.PREVIOUS))
        task = asyncio.create_task(host.run())
        try:
            await until_true(self.is_caught_up)
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def is_caught_up(self) -> bool:
        (live, *_) = await self.builds.standings("seen")
        return (
            live.failure is not None
            or live.position == self.log.last_position
            or self.log.last_position == -1
        )

    async def roles(self) -> dict[Role, Build]:
        return {of.role: of.build for of in await self.builds.standings("seen")}

    async def shown(self, build: Build) -> dict[str, Any]:
        projection = V1 if build.version == 1 else V2
        views: Any = self.read_models.of(projection, build)  # read, too
        if isinstance(self.builds, memory.Builds):
            views = memory.Views(projection, self.builds.kept(build))
        return {key: seen.view for key, seen in await views.find(equal={}, limit=500)}


@pytest.fixture(
    params=[
        *IN_MEMORY,
        "postgres",  # only: postgres
    ]
)
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    if kind := IN_MEMORY.get(request.param):
        builds = memory.Builds(Clock())
        yield Place(builds, kind((V1, V2), builds))
        return
    # only: postgres
    async with postgres.pool(request.getfixturevalue("postgres")) as pool:
        await postgres.migrate(pool)
        durable = postgres.Builds(pool)
        yield Place(durable, postgres.ReadModels(pool, [V1, V2], durable))
    # end: postgres


async def test_nobody_notices_a_deploy(place: Place) -> None:
    """Under constant commands and questions: none fails, none sees less than there was before."""
    for number in range(300):
        await place.record(f"old-{number}", REQUESTED, TransferApproved())
    written, asked = count(), list[int]()

    async def write() -> None:
        while True:
            await place.record(f"new-{next(written)}", REQUESTED, TransferApproved())
            await asyncio.sleep(0.002)

    async def ask() -> None:
        while True:
            views = await place.read_models.live(V2)
            sums = (await views.sums(["events", "twice"], by="events")).values()
            assert sum(of.views for of in sums) >= 300, "half-built views were shown"
            assert all(of.fields["twice"] == 2 * of.fields["events"] for of in sums)
            page = await views.find(equal={}, after="old-2", limit=50)
            assert {seen.view.events for _, seen in page} == {2}
            asked.append(len(page))
            await asyncio.sleep(0.005)  # memory answers without ever waiting

    async with place.served(V1, V2):
        tasks = [asyncio.create_task(work()) for work in (write, ask, ask)]
        try:
            await until_true(lambda: _true(len(asked) > 10))
            done = await place.deploy(V2).run(NOTE)
            assert (done.build, done.before, done.comparison.identical) == (NEXT, LIVE, True)
            assert done.comparison.equal >= 290
            for action in (
                lambda: place.builds.rollback("seen", NOTE),
                lambda: place.builds.drop(NEXT, NOTE),
            ):
                before = len(asked)
                await until_true(lambda before=before: _true(len(asked) > before + 10))  # type: ignore[misc]  # mypy cannot infer the default's type
                await action()
            assert [task.exception() for task in tasks if task.done()] == []
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def _true(value: bool) -> bool:
    return value


class Life:
    """A process that dies at one of its calls to the world outside: before or after its effect."""

    def __init__(self, calls: int, late: bool) -> None:
        self.left, self.late = calls, late

    def lived(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise asyncio.CancelledError


class Mortal:
    """A port as such a process sees it: once dead, nothing that it does has an effect."""

    def __init__(self, port: Any, life: Life) -> None:
        self._port, self._life = port, life

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._port, name)
        if name == "catch_up":
            return call
        if name == "of":
            return lambda *given: Mortal(call(*given), self._life)

        async def lived(*given: Any, **named: Any) -> Any:
            if self._life.late and self._life.left > 0:
                answer = await call(*given, **named)
                self._life.lived()
                return answer
            self._life.lived()
            return await call(*given, **named)

        return lived


async def cut_off(place: Place, life: Life) -> bool:
    """Deploy in a process with that life; whether it lived to the end."""
    mortal = Place(
        Mortal(place.builds, life),
        Mortal(place.read_models, life),
        place.log,
        place.holders,
    )
    mine = asyncio.all_tasks()
    deploying = asyncio.create_task(mortal.deploy(V2).run(NOTE))
    await asyncio.wait([deploying], timeout=10)
    for task in asyncio.all_tasks() - mine:
        task.cancel()
        await asyncio.wait([task])
    return not deploying.cancelled() and deploying.exception() is None


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
async def test_killed_at_any_call_it_leaves_the_live_build_and_goes_on(late: bool) -> None:
    """Before the swap the live build is as it was; run again, it ends as one clean run."""
    for calls in count(1):
        clock = Clock()
        place = Place.in_memory(clock=clock)
        for number in range(3):
            await place.record(str(number), REQUESTED, TransferApproved())
        async with place.served(V1, V2):
            pass
        before = await place.shown(LIVE)

        ended = await cut_off(place, Life(calls, late))
        swapped = (await place.roles())[Role.LIVE] == NEXT
        assert await place.shown(LIVE) == before
        clock.ahead += timedelta(seconds=10)  # its leases end
        if not swapped:
            await place.deploy(V2).run(NOTE)
        assert await place.roles() == {Role.LIVE: NEXT, Role.PREVIOUS: LIVE}
        assert {key: view.events for key, view in (await place.shown(NEXT)).items()} == {
            key: view.events for key, view in before.items()
        }
        actions = [action.action for action in await place.builds.actions("seen")]
        assert actions == ["swap", "deploy"]
        if ended:
            break
    assert calls > 10, "it was killed at every call before"


async def test_other_views_are_told_and_refused_unless_accepted() -> None:
    """A version that shows something else is not swapped in by itself; with consent it is."""
    other = declared(2, more=1)
    place = Place.in_memory(V1, other)
    await place.record("1", REQUESTED)
    async with place.served(V1, other):
        with pytest.raises(Differs, match="1 differ") as caught:
            await place.deploy(other).run(NOTE)
        assert (
            str(caught.value.comparison.examples[0]) == "1: events was 1, is 2, twice was 2, is 4"
        )
        assert (await place.roles())[Role.LIVE] == LIVE

        done = await place.deploy(other).run(NOTE, accept=True)

    assert (await place.roles(), done.comparison.different) == (
        {Role.LIVE: NEXT, Role.PREVIOUS: LIVE},
        1,
    )


async def test_a_rollback_is_at_once_since_the_previous_build_is_fed() -> None:
    """What happened after the swap is in the previous build, too."""
    place = Place.in_memory()
    await place.record("1", REQUESTED)
    async with place.served(V1, V2):
        await place.deploy(V2).run(NOTE)
        await place.record("2", REQUESTED)
        await until_true(lambda: _has(place, LIVE, "2"))

        await place.builds.rollback("seen", NOTE)

        views = await place.read_models.live(V2)
        assert set(await views.load(["1", "2"])) == {"1", "2"}


async def _has(place: Place, build: Build, key: str) -> bool:
    return key in await place.shown(build)


async def test_a_deploy_tells_how_far_it_is() -> None:
    """Events taken in, of as many as there are, never more; then that both builds are compared."""
    place = Place.in_memory()
    for number in range(500):
        await place.record(str(number), REQUESTED)
    told: list[Filling | Comparing] = []
    async with place.served(V1, V2):
        await place.deploy(V2).run(NOTE, report=told.append)

    *fillings, comparing = told
    assert isinstance(comparing, Comparing)
    seen = [(step.events, step.count) for step in fillings if isinstance(step, Filling)]
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == ((0, 500), (500, 500))


async def test_what_stands_in_the_way_is_named_with_what_to_do() -> None:
    """A build kept for a rollback, a paused one, a poison event; the live one is as it was."""
    place = Place.in_memory()
    with pytest.raises(DeployRefused, match="seen has no live build"):
        await place.deploy(V2).run(NOTE)
    await place.record("ghost", REQUESTED)
    poison = place.log.after(-1, 1)[0]
    async with place.served(V1, V2):
        with pytest.raises(DeployRefused, match=r"seen_v2 stopped at position \d+: Transfer"):
            await place.deploy(V2).run(NOTE)
        assert (await place.roles())[Role.LIVE] == LIVE
        await place.builds.skip(NEXT, poison.id, NOTE)

        await place.builds.pause(NEXT, NOTE)
        with pytest.raises(DeployRefused, match="`projections resume seen_v2`"):
            await place.deploy(V2).run(NOTE)
        await place.builds.resume(NEXT, NOTE)

        await place.deploy(V2).run(NOTE)
        with pytest.raises(DeployRefused, match="`projections drop seen_v1` first"):
            await place.deploy(V2).run(NOTE)
    with suppress(WrongRole):
        await place.builds.drop(LIVE, NOTE)
    assert await place.roles() == {Role.LIVE: NEXT}


async def test_a_name_is_that_of_a_read_model_or_of_one_build() -> None:
    """Each action finds the build that needs it; what needs nothing, or is nothing, is said."""
    place = Place.in_memory()
    operations = Operations([V1, V2], place.builds, place.read_models)
    await place.builds.register([V1])
    await place.builds.begin(V2, NOTE)

    assert await operations.pause("seen", NOTE) == [LIVE]
    assert await operations.pause("seen_v2", NOTE) == [NEXT]
    assert await operations.resume("seen", NOTE) == [LIVE, NEXT]
    for attempt in (operations.resume("seen", NOTE), operations.retry("seen_v2", NOTE)):
        with pytest.raises(WrongRole, match="seen"):
            await attempt
    assert await operations.drop("seen", NOTE) == NEXT
    assert (await operations.newest("seen")).version == 2
    assert [of.action for of in await operations.actions("seen_v1")] == ["resume", "pause"]
    for unknown in (operations.pause("other", NOTE), operations.newest("other")):
        with pytest.raises(UnknownReadModel, match="no read model other: there are seen"):
            await unknown
