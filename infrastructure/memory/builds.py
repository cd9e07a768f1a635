"""The builds of read models in memory: leases, failures and operator actions."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from application.ports import WrongRole
from application.projections.builds import (
    Build,
    BuildStanding,
    Failure,
    Note,
    OperatorAction,
    Report,
    Role,
    Shard,
    ShardStanding,
)
from application.projections.projection import Projection
from infrastructure.memory.coordination import Checkpoints, now
from infrastructure.memory.views import Kept


@dataclass
class _Runner:
    """The row of one shard."""

    report: Report | None = None
    reported_at: datetime | None = None
    leased_until: datetime | None = None
    failure: Failure | None = None

    def leased(self, now: datetime) -> bool:
        return self.leased_until is not None and self.leased_until > now

    def free_for(self, holder: str, now: datetime) -> bool:
        return not self.leased(now) or (self.report is not None and self.report.holder == holder)


@dataclass
class _Row:
    """The row of one build."""

    role: Role
    runners: dict[Shard, _Runner]
    paused: Note | None = None
    skipped: dict[UUID, Note] = field(default_factory=dict)


class Builds:
    """The :class:`~application.ports.Builds`, and what each build holds. ``clock`` ends leases."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self.checkpoints = Checkpoints()
        self._kept: dict[Build, Kept[Any]] = {}
        self._clock = clock
        self._rows: dict[Build, _Row] = {}
        self._actions: list[OperatorAction] = []

    def kept(self, build: Build) -> Kept[Any]:
        """What that build holds."""
        return self._kept.setdefault(build, Kept(build.table, self.checkpoints))

    def discard(self, build: Build) -> None:
        """Remove the content of a dropped build. Raises :class:`WrongRole`."""
        if build in self._rows:
            raise WrongRole(f"{build.table} has not been dropped")
        self._kept.pop(build, None)

    async def register(self, projections: Collection[Projection[Any]]) -> None:
        for projection in sorted(projections, key=lambda declared: -declared.version):
            if not any(build.name == projection.name for build in self._rows):
                self._add(Build(projection.name, projection.version), projection, Role.LIVE)

    async def standings(self, name: str | None = None) -> Sequence[BuildStanding]:
        rows = [(build, row) for build, row in self._rows.items() if name in (None, build.name)]
        return sorted(
            (self._standing(build, row) for build, row in rows),
            key=lambda standing: (standing.build.name, list(Role).index(standing.role)),
        )

    async def claim(
        self, reports: Mapping[tuple[Build, Shard], Report], *, seconds: float
    ) -> Collection[tuple[Build, Shard]]:
        return {of for of, report in reports.items() if self._claim(*of, report, seconds)}

    def _claim(self, build: Build, shard: Shard, report: Report, seconds: float) -> bool:
        row, now = self._rows.get(build), self._clock()
        runner = row.runners.get(shard) if row else None
        if runner is None or not runner.free_for(report.holder, now):
            return False
        runner.report, runner.reported_at = report, now
        runner.leased_until = now + timedelta(seconds=seconds)
        return True

    async def release(self, build: Build, shard: Shard, holder: str) -> None:
        row = self._rows.get(build)
        runner = row.runners[shard] if row else None
        if runner and runner.report and runner.report.holder == holder:
            runner.leased_until = None

    async def fail(self, build: Build, shard: Shard, failure: Failure) -> None:
        self._row(build).runners[shard].failure = failure

    async def retry(self, build: Build, note: Note) -> None:
        self._forget_failures(build)
        self._note("retry", build, note)

    async def skip(self, build: Build, event_id: UUID, note: Note) -> None:
        runners = self._row(build).runners.values()
        stopped = [r for r in runners if r.failure and r.failure.event_id == event_id]
        if not stopped:
            raise WrongRole(f"{build.table} has not stopped at the event {event_id}")
        self._row(build).skipped[event_id] = note
        for runner in stopped:
            runner.failure = None
        self._note("skip", build, note)

    async def skipped(self, build: Build) -> Mapping[UUID, Note]:
        return dict(self._row(build).skipped)

    async def pause(self, build: Build, note: Note) -> None:
        self._row(build).paused = note
        self._note("pause", build, note)

    async def resume(self, build: Build, note: Note) -> None:
        self._row(build).paused = None
        self._note("resume", build, note)

    async def begin(self, projection: Projection[Any], note: Note) -> Build:
        begun = self._in_role(projection.name, Role.BUILDING)
        if begun and begun.version != projection.version:
            raise WrongRole(f"{begun.table} has been begun before: continue it, or drop it")
        if begun:
            return begun
        build = Build(projection.name, projection.version, self._next_number(projection))
        self._add(build, projection, Role.BUILDING)
        self._note("deploy", build, note)
        return build

    async def swap(self, build: Build, note: Note) -> None:
        live, previous = (self._in_role(build.name, r) for r in (Role.LIVE, Role.PREVIOUS))
        if self._row(build).role is not Role.BUILDING:
            raise WrongRole(f"{build.table} is {self._row(build).role}, not building")
        if previous:
            raise WrongRole(f"{previous.table} is kept for a rollback: drop it first")
        if live:
            self._row(live).role = Role.PREVIOUS
        self._row(build).role = Role.LIVE
        self._note("swap", build, note)

    async def rollback(self, name: str, note: Note) -> Build:
        live, previous = (self._in_role(name, role) for role in (Role.LIVE, Role.PREVIOUS))
        if previous is None:
            raise WrongRole(f"{name} has no previous build to go back to")
        if live:
            self._row(live).role = Role.PREVIOUS
        self._row(previous).role = Role.LIVE
        self._note("rollback", previous, note)
        return previous

    async def drop(self, build: Build, note: Note) -> None:
        if self._row(build).role is Role.LIVE:
            raise WrongRole(f"{build.table} is live: it answers queries")
        del self._rows[build]
        await self.checkpoints.forget(build.table)
        self.discard(build)
        self._note("drop", build, note)

    async def actions(self, name: str) -> Sequence[OperatorAction]:
        return [action for action in reversed(self._actions) if action.build.name == name]

    def _next_number(self, projection: Projection[Any]) -> int:
        """A number that no build has had: another store may still have views of a dropped one."""
        builds = [*self._rows, *(action.build for action in self._actions)]
        of = projection.name, projection.version
        return max((one.number for one in builds if (one.name, one.version) == of), default=0) + 1

    def _add(self, build: Build, projection: Projection[Any], role: Role) -> None:
        shards = (Shard(index, projection.shards) for index in range(projection.shards))
        self._rows[build] = _Row(role, {shard: _Runner() for shard in shards})

    def _row(self, build: Build) -> _Row:
        if build not in self._rows:
            raise WrongRole(f"there is no build {build.table}")
        return self._rows[build]

    def _in_role(self, name: str, role: Role) -> Build | None:
        rows = self._rows.items()
        return next((b for b, row in rows if (b.name, row.role) == (name, role)), None)

    def _forget_failures(self, build: Build) -> None:
        for runner in self._row(build).runners.values():
            runner.failure = None

    def _note(self, action: str, build: Build, note: Note) -> None:
        self._actions.append(OperatorAction(action, build, note))

    def _standing(self, build: Build, row: _Row) -> BuildStanding:
        shards = [self._shard(build, shard, runner) for shard, runner in row.runners.items()]
        return BuildStanding(build, row.role, row.paused, shards, self._clock())

    def _shard(self, build: Build, shard: Shard, runner: _Runner) -> ShardStanding:
        position, events = self.checkpoints.standing(build.table, shard.index)
        return ShardStanding(
            shard,
            position,
            events,
            runner.failure,
            runner.report,
            runner.reported_at,
            runner.leased(self._clock()),
        )
