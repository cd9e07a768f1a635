"""Rebuilds a read model beside itself: fill a new build, compare it with the live one, swap.

Until the swap, no query reads the new build. Cut off at any point, the live one is as it was, and
deploying again goes on with what was filled.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from application.ending import end
from application.ports import Builds, ReadModels, StoreFacts, WrongRole
from application.projections.builds import Build, BuildStanding, Note, Role, ShardStanding
from application.projections.comparing import Comparison
from application.projections.hosting import ProjectionHost
from application.projections.projection import Projection
from application.projections.status import State

EVERY: Final = 0.2  # seconds between two looks at how far it is
COUNT_EVERY: Final = 10  # looks between two counts of the events


class DeployRefused(Exception):
    """The deploy cannot begin or go on. The message names what to do; the live build stays."""


class Differs(Exception):
    """The new build differs from the live one, and the difference was not accepted."""

    def __init__(self, build: Build, comparison: Comparison) -> None:
        super().__init__(f"{build.table} differs from the live build: {comparison}")
        self.build, self.comparison = build, comparison


@dataclass(frozen=True)
class Filling:
    """How far the new build is: ``events`` of ``count``, where that is known."""

    build: Build
    events: int
    count: int | None
    trouble: str | None  # what keeps it from going on just now


@dataclass(frozen=True)
class Comparing:
    """The new build is filled, and is being compared with the live one."""

    build: Build


Report = Callable[[Filling | Comparing], None]


@dataclass(frozen=True)
class Deployed:
    """The build that answers queries now, and how it compares with the one before."""

    build: Build
    before: Build
    comparison: Comparison


class Deploy:
    """One deploy of one projection."""

    def __init__(
        self,
        projection: Projection[Any],
        host: ProjectionHost,
        *,
        builds: Builds,
        read_models: ReadModels,
        store: StoreFacts,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``host`` fills building builds of this projection, as far as no other process does."""
        self._projection, self._host = projection, host
        self._builds, self._read_models, self._store = builds, read_models, store
        self._pause = pause

    async def run(
        self,
        note: Note,
        *,
        accept: bool = False,
        report: Report = lambda _: None,
    ) -> Deployed:
        """Fill, compare, swap, from where an earlier one ended; ``report`` gets how far it is.

        ``accept``: swap although the views differ. Raises :class:`DeployRefused`,
        :class:`Differs`, ``NotOurs``, ``WrongRole``, ``StoreUnavailable``.
        """
        live = await self._live()
        build = await self._builds.begin(self._projection, note)
        async with self._filling() as filling:
            await self._filled(build, filling, report)
            report(Comparing(build))
            comparison = await self._read_models.compare(live, build)
            if not (accept or comparison.identical):
                raise Differs(build, comparison)
            await self._builds.swap(build, note)
        return Deployed(build, live, comparison)

    async def _live(self) -> Build:
        name = self._projection.name
        roles = {of.role: of.build for of in await self._builds.standings(name)}
        if (live := roles.get(Role.LIVE)) is None:
            raise DeployRefused(f"{name} has no live build: the first start of a service makes it")
        if previous := roles.get(Role.PREVIOUS):
            raise DeployRefused(
                f"{live.table} is live, and {previous.table} is still kept for a rollback: "
                f"`projections drop {previous.table}` first, or `rollback {name}`"
            )
        return live

    async def _filled(self, build: Build, filling: asyncio.Task[None], report: Report) -> None:
        """Wait until its holder reports, after this began, that nothing is missing."""
        since: datetime | None = None
        for look in itertools.count():
            if look % COUNT_EVERY == 0:
                count = await self._store.count(self._projection.events)
            standing = await self._standing(build)
            since = since or standing.now
            _refuse(standing)
            report(Filling(build, standing.events, count, _trouble(standing)))
            if all(_is_live(shard, since) for shard in standing.shards):
                return
            if filling.done():
                await filling  # it ends only by an error, which this raises
            await self._pause(EVERY)

    async def _standing(self, build: Build) -> BuildStanding:
        for standing in await self._builds.standings(build.name):
            if standing.build == build:
                return standing
        raise WrongRole(f"{build.table} has been dropped meanwhile")

    @asynccontextmanager
    async def _filling(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self._host.run())
        try:
            yield task
        finally:
            await end([task])


def _refuse(standing: BuildStanding) -> None:
    build = standing.build.table
    if standing.paused:
        raise DeployRefused(
            f"{build} is paused by {standing.paused.by} ({standing.paused.reason}): "
            f"`projections resume {build}`, then deploy again"
        )
    if failure := standing.failure:
        raise DeployRefused(
            f"{build} stopped at position {failure.position}: {failure.event}: {failure.error}; "
            f"`projections retry {build}` when the cause is mended, or "
            f'`projections skip {build} {failure.event_id} --reason "…"`, '
            "then deploy again"
        )


def _is_live(shard: ShardStanding, since: datetime) -> bool:
    """Whether its holder reports so; what a killed one has reported before does not count."""
    if shard.report is None or shard.reported_at is None or not shard.leased:
        return False
    return shard.report.state is State.LIVE and shard.reported_at > since


def _trouble(standing: BuildStanding) -> str | None:
    reports = [shard.report for shard in standing.shards if shard.report]
    waiting = (report.error for report in reports if report.state is not State.FAILED)
    return next((error for error in waiting if error), None)
