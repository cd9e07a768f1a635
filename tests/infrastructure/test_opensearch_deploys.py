"""A read model in OpenSearch (real) is rebuilt beside itself, and the deploy killed anywhere."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from application.ports import Builds, Checkpoints, SearchEngine
from application.projections.builds import Build, Note, Role
from application.projections.deploying import Deploy
from application.projections.hosting import ProjectionHost
from application.projections.searching import SearchReadModels
from infrastructure import memory
from infrastructure.opensearch import SearchEngine as OpenSearch
from tests.application.test_projection_crashes import HISTORY, store_of
from tests.contracts.search_engines import on_opensearch
from tests.sample.read_models.payee_search import payee_search
from tests.waiting import until_true

LOOKS = {"standings", "claim", "skipped", "load"}
"""Calls that change nothing, or a lease only; some of them come every few milliseconds."""
DECLARED = replace(payee_search, listed=False)
NOTE = Note("ann", "a new release", datetime(2026, 1, 1, tzinfo=UTC))
LIVE, NEXT = Build(DECLARED.name, 1), Build(DECLARED.name, 1, 2)


class Life:
    """A process that dies at its n-th call to the world outside, before the call has an effect.

    So it also dies after the effect of the call before, whatever it was.
    """

    def __init__(self, calls: int) -> None:
        self.left = calls

    def lived(self, *, counted: bool) -> None:
        self.left -= counted
        if self.left < 0:
            raise asyncio.CancelledError


class Mortal:
    """A port, or the server, as such a process sees it."""

    def __init__(self, port: Any, life: Life) -> None:
        self._port, self._life = port, life

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._port, name)
        if name == "unavailable":
            return call

        async def lived(*given: Any, **named: Any) -> Any:
            self._life.lived(counted=name not in LOOKS)
            return await call(*given, **named)

        return lived


@dataclass
class Place:
    """Events in memory, builds in memory, and views in OpenSearch."""

    log: memory.EventStore
    builds: Builds
    checkpoints: Checkpoints
    engine: SearchEngine
    holder: str = "a process"

    @property
    def read_models(self) -> SearchReadModels:
        return SearchReadModels(self.engine, [DECLARED], self.builds, self.checkpoints)

    def host(self, role: Role) -> ProjectionHost:
        subscriptions = memory.Subscriptions(self.log)
        return ProjectionHost(
            [DECLARED],
            subscriptions,
            self.read_models,
            self.builds,
            None,
            holder=self.holder,
            roles=[role],
            tick=0.01,
        )

    async def deploy(self) -> None:
        models = self.read_models
        work = Deploy(
            DECLARED,
            self.host(Role.BUILDING),
            builds=self.builds,
            read_models=models,
            store=memory.Subscriptions(self.log),
            pause=lambda _: asyncio.sleep(0.01),
        )
        await work.run(NOTE)
        await models.show()

    async def answers(self) -> Mapping[str, Any]:
        """What a question gets, by word and by key."""
        views = await self.read_models.live(DECLARED)
        return {"found": await views.search("rent"), "loaded": await views.load(["b", "c"])}

    async def live(self) -> Build:
        standings = await self.builds.standings(DECLARED.name)
        return next(of.build for of in standings if of.role is Role.LIVE)


@asynccontextmanager
async def filled(request: pytest.FixtureRequest, clock: Any) -> AsyncIterator[Place]:
    """A place whose live build has taken in everything."""
    async with on_opensearch(request) as engine:
        builds = memory.Builds(clock)
        place = Place(await store_of(HISTORY), builds, builds.checkpoints, engine)
        await builds.register([DECLARED])
        task = asyncio.create_task(place.host(Role.LIVE).run())

        async def caught_up() -> bool:
            (live, *_) = await builds.standings(DECLARED.name)
            return live.position is not None and live.events == 5

        try:
            await until_true(caught_up)
        finally:
            task.cancel()
            await asyncio.wait([task])
        yield place


async def cut_off(place: Place, calls: int) -> None:
    """Deploy in a process that dies at that call."""
    life = Life(calls)
    engine: Any = place.engine
    assert isinstance(engine, OpenSearch)
    server: Any = Mortal(engine._server, life)  # all its calls go through this
    mortal = Place(
        place.log,
        Mortal(place.builds, life),
        Mortal(place.checkpoints, life),
        OpenSearch(server, engine._prefix.removesuffix("-"), owner=7),
        f"process {calls}",
    )
    mine = asyncio.all_tasks()
    deploying = asyncio.create_task(mortal.deploy())
    await asyncio.wait([deploying], timeout=30)
    for task in asyncio.all_tasks() - mine:
        task.cancel()
        await asyncio.wait([task])


async def test_killed_at_each_call_in_turn_the_live_index_answers_as_before(
    request: pytest.FixtureRequest,
) -> None:
    """Each attempt goes on with what the one before has left, and dies one call later. Until the
    swap nothing has changed for questions, and afterwards neither: they go to the equal build."""
    ahead = timedelta(0)

    def clock() -> datetime:
        return datetime.now(UTC) + ahead

    async with filled(request, clock) as place:
        before = await place.answers()
        assert [key for key, _ in before["found"]] == ["b", "c"]

        for calls in count():
            await cut_off(place, calls)
            assert await place.answers() == before, f"killed at call {calls}"
            ahead += timedelta(seconds=10)  # the leases of the dead process end
            if await place.live() != LIVE:
                break
        assert calls > 10, "it was killed at each call before"

        engine = place.engine
        assert isinstance(engine, OpenSearch)
        await place.builds.rollback(DECLARED.name, NOTE)
        assert (await place.live(), await place.answers()) == (LIVE, before)
        await place.builds.drop(NEXT, NOTE)
        await place.read_models.discard(NEXT)
        assert await engine.index(DECLARED, NEXT).filling() is None
        assert await place.answers() == before
        await place.deploy()
        assert (await place.live()).number == 3
        assert await place.answers() == before
