"""Builds in a search engine that loses an index: filled again, and right whoever still writes."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from application.ports import (
    CheckpointMoved,
    IndexMissing,
    NotOurs,
    ReadModels,
    Seen,
    StoreUnavailable,
    WrongRole,
)
from application.projections.builds import Build, Note
from application.projections.filling_elsewhere import (
    FilledElsewhere,
    fill_again,
    number_of,
    remove_dropped,
)
from application.projections.hosting import ProjectionHost
from application.projections.operating import Operations
from application.projections.placing import PlacedReadModels
from application.projections.searching import SearchReadModels, owner_of
from infrastructure import memory
from tests.application.test_projection_crashes import HISTORY, store_of
from tests.sample.read_models.payee_search import Payee, payee_search
from tests.sample.service import SAMPLE
from tests.waiting import until, until_true

BUILD = Build(payee_search.name, payee_search.version)
NOTE = Note("ann", "a release", datetime(2026, 1, 1, tzinfo=UTC))
VIEWS = {"b": Seen(Payee(account_id="b", transfers=1), 5)}
PARTS = {"1": Seen(Payee(account_id="a-part"), 5)}


class World:
    """A search engine, and the checkpoints beside it."""

    def __init__(self) -> None:
        self.engine, self.builds = memory.SearchEngine(), memory.Builds()
        self.checkpoints = self.builds.checkpoints

    def writer(self) -> FilledElsewhere[Payee]:
        """One more process that fills the build."""
        views = self.engine.index(payee_search, BUILD)
        return FilledElsewhere(
            BUILD, views, self.engine.parts(payee_search, BUILD), self.checkpoints
        )


@pytest.fixture
def world() -> World:
    return World()


async def filled(writer: FilledElsewhere[Payee], expected: int | None = None) -> None:
    await writer.save(VIEWS, parts=PARTS, events=1, checkpoint=5, expected=expected)


async def content(world: World) -> Mapping[str, Any]:
    writer = world.writer()
    checkpoint = await writer.checkpoint()  # which prepares, as a runner does
    there = {**await writer.load(["b"]), **await writer.load_parts(["1"])}
    return {**there, "checkpoint": checkpoint}


async def test_what_was_lost_is_filled_from_the_first_event(world: World) -> None:
    """An index that is gone, or is another one, takes the checkpoint with it."""
    writer = world.writer()
    await writer.prepare()
    await filled(writer)
    assert await writer.checkpoint() == 5

    await world.engine.remove(BUILD)
    assert await writer.checkpoint() is None
    await filled(writer)
    await world.engine.parts(payee_search, BUILD).begin(1)

    assert await content(world) == {"checkpoint": None}


@pytest.mark.parametrize("late", ["views", "parts", "checkpoint"])
async def test_a_writer_that_stalls_leaves_nothing_in_indexes_that_are_filled_anew(
    world: World, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    """Wherever it stops in a save: parts without their views would hide their events for ever, and
    a checkpoint without its views would, too."""
    stalled, other = world.writer(), world.writer()
    await stalled.prepare()

    async def stall(*_: Any) -> None:
        await world.engine.remove(BUILD)
        await other.prepare()

    views, parts = stalled._indexes  # where it stalls
    before = {"views": (views, "write"), "parts": (parts, "write")}
    place, name = before.get(late, (stalled, "require_current"))
    call = getattr(place, name)

    async def late_call(*given: Any) -> Any:
        await stall()
        return await call(*given)

    monkeypatch.setattr(place, name, late_call)
    with pytest.raises((IndexMissing, CheckpointMoved)):
        await filled(stalled)

    assert await content(world) == {"checkpoint": None}


class Dies(Exception):
    """The process ends here."""


class Mortal:
    """A port as a process sees it that dies at its n-th call of any port."""

    def __init__(self, port: Any, left: Iterator[int]) -> None:
        self._port, self._left = port, left

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._port, name)

        async def lived(*given: Any, **named: Any) -> Any:
            if next(self._left, None) is None:
                raise Dies
            return await call(*given, **named)

        return lived


async def test_begun_anew_and_cut_off_anywhere_it_is_begun_again(world: World) -> None:
    """At each of its calls: the next process finds no checkpoint without its views."""
    for calls in count():
        writer = world.writer()
        await filled(writer, expected=await writer.checkpoint())
        await world.engine.parts(payee_search, BUILD).begin(3)  # the index of parts is another one

        left = iter(range(calls))
        views, parts, checkpoints = (
            Mortal(port, left)
            for port in (
                world.engine.index(payee_search, BUILD),
                world.engine.parts(payee_search, BUILD),
                world.checkpoints,
            )
        )
        with suppress(Dies):
            await FilledElsewhere[Any](BUILD, views, parts, checkpoints).prepare()

        assert await content(world) == {"checkpoint": None}, f"died at call {calls}"
        if next(left, None) is not None:
            break
    assert calls > 6, "it died at each call before"


async def test_what_was_kept_in_a_search_engine_is_filled_again_in_the_database(
    world: World,
) -> None:
    """The checkpoint was that of the index. Afterwards nothing is filled again."""
    await world.builds.register([payee_search])
    writer = world.writer()
    await writer.prepare()
    await filled(writer)
    models = memory.ReadModels([payee_search], world.builds)
    here = models.of(payee_search, BUILD)

    await fill_again([payee_search], world.builds, models, world.checkpoints)
    assert (await here.load(["b"]), await here.checkpoint()) == ({}, None)

    await here.save(VIEWS, parts=PARTS, events=1, checkpoint=5, expected=None)
    await fill_again([payee_search], world.builds, models, world.checkpoints)
    assert (await here.load(["b"]), await here.checkpoint()) == (VIEWS, 5)
    assert await world.checkpoints.load(number_of(BUILD)) is None


async def test_a_service_has_one_number_whoever_asks_first(world: World) -> None:
    """It is chosen once, also by two processes at once, and is another for each service."""

    class Late(memory.Checkpoints):
        """Another process chooses just before this one does."""

        async def advance(self, name: str, position: int, **named: Any) -> None:
            await super().advance(name, 7, expected=None)
            await super().advance(name, position, **named)

    assert await owner_of(Late()) == 7
    mine = await owner_of(world.checkpoints)
    assert 0 < mine < 2**32
    assert mine == await owner_of(world.checkpoints) != await owner_of(memory.Checkpoints())


async def test_a_build_that_was_dropped_while_the_engine_was_away_is_removed_later(
    world: World,
) -> None:
    """The drop counts, and says what is left; the next start removes that, and no other index."""
    declared = replace(payee_search, listed=False)
    await world.builds.register([declared])
    models = SearchReadModels(world.engine, [declared], world.builds, world.checkpoints)
    dropped = await world.builds.begin(declared, NOTE)
    for build in (BUILD, dropped):
        await models.of(declared, build).prepare()
    operations = Operations([declared], world.builds, Away(models))
    with pytest.raises(StoreUnavailable, match=r"dropped, but its views are still there: .*away"):
        await operations.drop(dropped.table, NOTE)

    for _ in range(2):
        await remove_dropped([declared], world.builds, models, world.checkpoints)

    assert await world.engine.index(declared, dropped).filling() is None
    assert await world.engine.parts(declared, dropped).filling() is None
    assert await world.engine.index(declared, BUILD).filling() is not None


async def test_a_build_that_is_dropped_does_not_come_back(world: World) -> None:
    """A runner that has not been stopped yet, and finds its index gone, makes no other."""
    declared = replace(payee_search, listed=False)
    await world.builds.register([declared])
    models = SearchReadModels(world.engine, [declared], world.builds, world.checkpoints)
    dropped = await world.builds.begin(declared, NOTE)
    views = models.of(declared, dropped)
    await views.prepare()
    await world.builds.drop(dropped, NOTE)
    await models.discard(dropped)

    with pytest.raises(WrongRole, match="payee_search_v1_2 has been dropped"):
        await views.checkpoint()

    assert await world.engine.index(declared, dropped).filling() is None


class Away(PlacedReadModels):
    """Read models whose engine is away."""

    def __init__(self, models: ReadModels) -> None:
        super().__init__(models, {})

    async def discard(self, build: Build) -> None:
        raise StoreUnavailable(f"{build.table}: the engine is away")


class Named(memory.SearchEngine):
    """Its alias is another service's, or it is away, as ``fault`` says."""

    fault: Exception | None = NotOurs("baskets leads to an index of another service")
    asked = 0

    async def show(self, build: Build) -> None:
        self.asked += 1
        if self.fault:
            raise self.fault
        await super().show(build)


async def test_a_name_that_is_not_ours_is_reported_and_stops_no_query() -> None:
    """Queries do not depend on it. It is reported once, and by each check until it is mended."""
    engine, builds, reported = Named(), memory.Builds(), list[str]()
    await builds.register([payee_search])
    declared = [replace(payee_search, listed=False)]
    models = SearchReadModels(engine, declared, builds, builds.checkpoints, reported.append)
    await models.of(payee_search, BUILD).prepare()

    for _ in range(2):
        assert await (await models.live(payee_search)).load(["b"]) == {}
    assert (reported, engine.asked) == ([str(engine.fault)], 1)
    with pytest.raises(NotOurs):
        await models.show()

    engine.fault = StoreUnavailable("away")
    with pytest.raises(StoreUnavailable):
        await models.show()
    engine.fault = None
    await models.show()
    assert engine.shown == {payee_search.name: BUILD}


async def test_an_index_that_is_lost_is_filled_again_without_an_event(world: World) -> None:
    """A read model that is idle notices it, and needs no restart."""
    declared = replace(payee_search, listed=False)
    await world.builds.register([declared])
    log = await store_of(HISTORY)
    host = ProjectionHost(
        [declared],
        memory.Subscriptions(log),
        SearchReadModels(world.engine, [declared], world.builds, world.checkpoints),
        world.builds,
        None,
        holder="one",
        tick=0.005,
        watch=0.01,
    )

    async def is_filled() -> bool:
        try:
            return set(await world.engine.index(declared, BUILD).load(["b", "c"])) == {"b", "c"}
        except IndexMissing:
            return False

    task = asyncio.create_task(host.run())
    try:
        await until_true(is_filled)
        await world.engine.remove(BUILD)
        assert not await is_filled()
        await until_true(is_filled)
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_runner_waits_for_an_engine_that_is_away_at_its_start(world: World) -> None:
    """It reports why, goes on by itself, and is the same runner then."""
    declared = replace(payee_search, listed=False)
    await world.builds.register([declared])
    log, faults = await store_of(HISTORY), [StoreUnavailable("the engine is away")]

    class Models(SearchReadModels):
        def of(self, *given: Any) -> Any:
            views = super().of(*given)
            prepare = views.prepare

            async def late() -> None:
                for fault in faults:
                    raise fault
                await prepare()

            views.prepare = late  # type: ignore[method-assign]  # the point of it
            return views

    host = ProjectionHost(
        [declared],
        memory.Subscriptions(log),
        Models(world.engine, [declared], world.builds, world.checkpoints),
        world.builds,
        None,
        holder="one",
        tick=0.005,
    )

    async def reported() -> str | None:
        (standing,) = await world.builds.standings(declared.name)
        report = standing.shards[0].report
        return report.error if report else None

    async def is_filled() -> bool:
        (standing,) = await world.builds.standings(declared.name)
        return standing.position is not None

    async def says_why() -> bool:
        return await reported() == "the engine is away"

    task = asyncio.create_task(host.run())
    try:
        await until_true(says_why)
        (runner,) = host.statuses()
        faults.clear()
        await until_true(is_filled)
        assert list(host.statuses()) == [runner]
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_an_empty_read_model_is_not_taken_for_a_lost_one(world: World) -> None:
    """Without an event there is no checkpoint: its runner stays the same."""
    declared = replace(payee_search, listed=False)
    await world.builds.register([declared])
    models, looks = SearchReadModels(world.engine, [declared], world.builds, world.checkpoints), 0

    class Counted(PlacedReadModels):
        """Counts how often a runner begins to follow."""

        def of(self, projection: Any, build: Build, *shard: Any) -> Any:
            nonlocal looks
            looks += 1
            return super().of(projection, build, *shard)

    log = memory.EventStore(SAMPLE.catalogue)
    host = ProjectionHost(
        [declared],
        memory.Subscriptions(log),
        Counted(models, {}),
        world.builds,
        None,
        holder="one",
        tick=0.005,
        watch=0.005,
    )
    task = asyncio.create_task(host.run())
    try:
        await until(lambda: bool(host.statuses()))
        began = looks
        for _ in range(20):
            await asyncio.sleep(0.005)  # as often as it looks
        assert looks == began
    finally:
        task.cancel()
        await asyncio.wait([task])
