"""Fills the builds of the declared projections, as far as no other process does.

Every ``tick`` the host reads the standings: it renews the leases of what it fills, takes what is
free, and lets go of what was paused, dropped or taken. A build that fails waits for an operator
and stops no other. The runners share one subscription, so each event is received and decoded once,
and so is the payload of a large one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from application.claimed_once import ClaimedOnce
from application.ending import end
from application.log_end import LogEnd
from application.ports import (
    Builds,
    PayloadStore,
    Promise,
    ReadModels,
    StoreUnavailable,
    Subscriptions,
    WritableViews,
    WrongRole,
)
from application.projections.builds import Build, BuildStanding, Failure, Report, Role, Shard
from application.projections.failures import ProjectionFailed
from application.projections.projection import Projection
from application.projections.runner import ProjectionRunner
from application.projections.status import RunnerStatus, State, now
from application.projections.writing_behind import NOTHING
from application.shared_subscription import SharedSubscription

Key = tuple[Build, Shard]


@dataclass(frozen=True)
class _Worker:
    """A shard that is being filled here."""

    runner: ProjectionRunner[Any]
    task: asyncio.Task[None]

    def report(self, holder: str) -> Report:
        status = self.runner.status()
        error = status.last_error if status.state is not State.LIVE else None
        if self.task.done() and (failure := self.task.exception()):
            error = str(failure)
        return Report(holder, status.state, status.missing_since, status.rate, error)


@dataclass(frozen=True)
class _Taken:
    """A shard that is to be filled here from now on."""

    key: Key
    views: WritableViews[Any]
    runner: ProjectionRunner[Any]
    again: WritableViews[Any]
    """The same as ``views``, as another process sees them."""
    watch: float

    async def fill(self) -> None:
        """Ends when the views have been lost, which a runner without events would not notice."""
        if self.views.promise is Promise.TOGETHER:  # the checkpoint would be lost with them
            await self.runner.run()
            return
        running = asyncio.create_task(self.runner.run(), name=f"filling {self.key[0].table}")
        try:
            while not running.done():
                await asyncio.wait([running], timeout=self.watch)
                if not running.done() and await self._are_lost():
                    return
            await running
        finally:
            await end([running])

    async def _are_lost(self) -> bool:
        try:
            there = await self.again.checkpoint()
        except (StoreUnavailable, WrongRole):  # dropped: it is stopped soon
            return False
        return there is None and self.runner.status().position not in (None, NOTHING)


class ProjectionHost:
    """The runners of one process. ``run`` it as a task; hosts of other processes share the work."""

    def __init__(
        self,
        projections: Collection[Projection[Any]],
        subscriptions: Subscriptions,
        read_models: ReadModels,
        builds: Builds,
        payloads: PayloadStore | None,
        *,
        holder: str,
        log_end: LogEnd | None = None,
        roles: Collection[Role] = (Role.LIVE, Role.PREVIOUS),
        lease: float = 3.0,
        tick: float = 0.5,
        watch: float = 5.0,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """It fills builds in these ``roles``. A lease holds for ``lease`` seconds, several ticks.

        Every ``watch`` seconds it looks whether views have been lost that others may remove.

        ``holder`` is a name that no other host has.
        """
        self._declared = {(p.name, p.version): p for p in projections}
        self._subscriptions = SharedSubscription(subscriptions)
        self._payloads = ClaimedOnce(payloads)
        self._read_models, self._builds = read_models, builds
        self._holder, self._roles, self._log_end = holder, roles, log_end
        self._lease, self._tick, self._pause, self._clock = lease, tick, pause, clock
        self._watch = watch
        self._workers: dict[Key, _Worker] = {}

    @property
    def holder(self) -> str:
        """The name under which it holds leases."""
        return self._holder

    async def run(self) -> None:
        """Fill builds until cancelled, then release the leases. Waits while a store is away."""
        try:
            while True:
                with suppress(StoreUnavailable):  # the runners go on, or wait, by themselves
                    await self.look()
                await self._pause(self._tick)
        finally:
            for key in list(self._workers):
                await self._stop(key)

    def statuses(self) -> Mapping[Key, RunnerStatus]:
        """The status of each runner at work here."""
        return {key: worker.runner.status() for key, worker in self._workers.items()}

    async def look(self) -> None:
        """Read the standings once, and do what follows from them. Raises ``StoreUnavailable``."""
        for key, worker in list(self._workers.items()):
            if worker.task.done():
                await self._ended(key, worker)
        wanted, free = self._wanted(await self._builds.standings())
        for key in self._workers.keys() - wanted.keys():
            await self._stop(key)
        held = await self._builds.claim(self._claims(free), seconds=self._lease)
        for key in self._workers.keys() - held:
            await self._stop(key)
        new = [key for key in held if key not in self._workers]
        taken = [one for key in new if (one := await self._take(key, wanted[key]))]
        for one in taken:  # of all, before the first one subscribes
            self._subscriptions.expect(one.runner.projection.events)
        for one in taken:
            task = asyncio.create_task(one.fill(), name=f"projection {one.key[0].table}")
            self._workers[one.key] = _Worker(one.runner, task)

    def _wanted(
        self, standings: Sequence[BuildStanding]
    ) -> tuple[Mapping[Key, Projection[Any]], Mapping[Build, Shard]]:
        """What is to be filled; and one shard of each build that no process fills.

        One at a time leaves some to others.
        """
        wanted: dict[Key, Projection[Any]] = {}
        free: dict[Build, Shard] = {}
        for standing in standings:
            build = standing.build
            projection = self._declared.get((build.name, build.version))
            if projection is None or standing.role not in self._roles:
                continue
            if standing.paused or standing.failure:
                continue
            for one in standing.shards:
                key = build, one.shard
                wanted[key] = projection
                if key not in self._workers and one.holder in (None, self._holder):
                    free.setdefault(*key)
        return wanted, free

    def _claims(self, free: Mapping[Build, Shard]) -> Mapping[Key, Report]:
        idle = Report(self._holder, State.STOPPED)
        reports = {key: worker.report(self._holder) for key, worker in self._workers.items()}
        return dict.fromkeys(free.items(), idle) | reports

    async def _take(self, key: Key, projection: Projection[Any]) -> _Taken | None:
        build, shard = key
        try:
            skipped = frozenset(await self._builds.skipped(build))
        except WrongRole:  # dropped meanwhile
            return None
        views = self._read_models.of(projection, build, shard)
        runner = ProjectionRunner(
            projection,
            self._subscriptions,
            views,
            self._payloads,
            log_end=self._log_end,
            shard=shard,
            skipped=skipped,
            prepare=views.prepare,
            clock=self._clock,
        )
        again = self._read_models.of(projection, build, shard)
        return _Taken(key, views, runner, again, self._watch)

    async def _ended(self, key: Key, worker: _Worker) -> None:
        """A runner ends by itself only at an event that it cannot take in, or by a bug."""
        error = worker.task.exception()
        await self._builds.claim({key: worker.report(self._holder)}, seconds=self._lease)
        if isinstance(error, ProjectionFailed):
            failure = Failure(
                error.position, error.event_id, error.event, error.error, self._clock()
            )
            with suppress(WrongRole):  # dropped meanwhile
                await self._builds.fail(*key, failure)
        await self._stop(key)

    async def _stop(self, key: Key) -> None:
        worker = self._workers[key]
        await end([worker.task])
        if not worker.task.cancelled():
            worker.task.exception()  # if it had ended by itself: else asyncio reports it as unseen
        with suppress(StoreUnavailable):  # then the lease ends by itself
            await self._builds.release(*key, self._holder)
        del self._workers[key]  # last: cut off before, it is done again
