"""How far the read models are behind, in seconds first. Unknown is ``None``, never 0."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from application.event_filter import EventFilter
from application.ports import Builds, NotBuilt, StoreFacts
from application.projections.builds import (
    Build,
    BuildStanding,
    Report,
    Role,
    ShardStanding,
    readable,
)
from application.projections.projection import Projection
from application.projections.status import State

FRESH: Final = timedelta(seconds=5)
"""An older report does not describe the present any more."""
NOBODY: Final = "nobody runs it"
"""The state of a build without a fresh report."""


@dataclass(frozen=True)
class Lag:
    """How far one build is behind."""

    build: Build
    role: Role
    answers: bool  # queries here: it is live, or the newest that this release knows
    state: str  # in words, with the reason where there is one
    position: int | None
    seconds: float | None
    events: int | None
    rate: float | None  # events a second, lately
    breached: bool  # older than its max_staleness, or no report for so long
    failed: bool
    paused: bool
    taken_in: int  # events, since the first
    seen_at: datetime  # by the clock of the store that keeps the build

    @property
    def catch_up_in(self) -> float | None:
        """Seconds until nothing is missing, at the rate of now."""
        if self.events == 0:
            return 0.0
        return self.events / self.rate if self.events and self.rate else None


class Lags:
    """Asks the stores, at most once in ``fresh_for`` seconds."""

    def __init__(
        self,
        projections: Collection[Projection[Any]],
        builds: Builds,
        store: Callable[[], StoreFacts],
        *,
        fresh_for: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``store`` is called when events are counted: a process that reads views needs none."""
        self._declared = sorted(projections, key=lambda declared: declared.version)
        self._builds, self._store = builds, store
        self._fresh_for, self._clock = fresh_for, clock
        self._asked_at: float | None = None
        self._asking = asyncio.Lock()
        self._standings: Sequence[BuildStanding] = ()
        self._lags: Sequence[Lag] = ()

    async def all(self) -> Sequence[Lag]:
        """Of all builds, without the number of ``events`` of those that are behind.

        Raises ``StoreUnavailable``.
        """
        await self._ask()
        return self._lags

    async def counted(self) -> Sequence[Lag]:
        """Of all builds, with ``events`` where the store can count them; it counts for no other."""
        standings = await self._ask()
        behind = [standing for standing in standings if _seconds(standing) != 0.0]
        wanted = {only for standing in behind if (only := self._events(standing))}
        counts = {only: await self._store().count(only) for only in wanted}
        return [self._lag(standing, standings, counts) for standing in standings]

    async def of(self, projection: Projection[Any]) -> Lag:
        """Of the build that answers, without ``events``.

        Raises ``NotBuilt``, ``StoreUnavailable``.
        """
        for lag in await self.all():
            if lag.build.name == projection.name and lag.answers:
                return lag
        raise NotBuilt(f"{projection.name} has not been built yet")

    async def _ask(self) -> Sequence[BuildStanding]:
        if not self._fresh():
            async with self._asking:  # those that come meanwhile get the same answer
                if not self._fresh():
                    await self._look()
        return self._standings

    def _fresh(self) -> bool:
        return self._asked_at is not None and self._clock() - self._asked_at <= self._fresh_for

    async def _look(self) -> None:
        now, standings = self._clock(), await self._builds.standings()
        self._lags = [self._lag(standing, standings, {}) for standing in standings]
        self._standings, self._asked_at = standings, now

    def _lag(
        self,
        standing: BuildStanding,
        standings: Sequence[BuildStanding],
        counts: Mapping[EventFilter, int | None],
    ) -> Lag:
        seconds, events = _seconds(standing), self._events(standing)
        count = None if events is None else counts.get(events)
        missing = None if count is None else max(0, count - standing.events)
        answering = readable(standing.build.name, standings, self._declared)
        return Lag(
            build=standing.build,
            role=standing.role,
            answers=answering is not None and answering[1] is standing,
            state=in_words(standing),
            position=standing.position,
            seconds=seconds,
            events=0 if seconds == 0.0 else missing,
            rate=_rate(standing),
            breached=self._breached(standing),
            failed=standing.failure is not None,
            paused=standing.paused is not None,
            taken_in=standing.events,
            seen_at=standing.now,
        )

    def _breached(self, standing: BuildStanding) -> bool:
        projection = self._declaration(standing)
        if projection is None:
            return False
        seconds = _seconds(standing)
        if seconds is not None:
            return seconds > projection.max_staleness.total_seconds()
        return any(
            _silence(standing, shard) > projection.max_staleness for shard in standing.shards
        )

    def _events(self, standing: BuildStanding) -> EventFilter | None:
        projection = self._declaration(standing)
        return projection.events if projection else None

    def _declaration(self, standing: BuildStanding) -> Projection[Any] | None:
        """Of its version; else the newest: what it follows and promises is nearly the same."""
        build = standing.build
        declared = {of.version: of for of in self._declared if of.name == build.name}
        return declared.get(build.version, next(reversed(declared.values()), None))


def _seconds(standing: BuildStanding) -> float | None:
    """The age of the oldest event that is missing, which grows until it is taken in."""
    ages = [_shard_seconds(standing, shard) for shard in standing.shards]
    known = [age for age in ages if age is not None]
    return max(known) if len(known) == len(ages) else None


def _shard_seconds(standing: BuildStanding, shard: ShardStanding) -> float | None:
    report = shard.report
    if report is None:
        return None
    if report.missing_since is not None:
        return max(0.0, (standing.now - report.missing_since).total_seconds())
    fresh = _silence(standing, shard) <= FRESH
    return 0.0 if report.state is State.LIVE and fresh else None


def _silence(standing: BuildStanding, shard: ShardStanding) -> timedelta:
    """The time since the last report; 0 for a shard that has never been filled."""
    return timedelta(0) if shard.reported_at is None else standing.now - shard.reported_at


def _rate(standing: BuildStanding) -> float | None:
    fresh = [shard for shard in standing.shards if _silence(standing, shard) <= FRESH]
    rates = [shard.report.rate for shard in fresh if shard.report]
    return min(rates) if len(rates) == len(standing.shards) else None


def in_a_word(standing: BuildStanding) -> str:
    """How it stands: one of the states, ``paused``, or ``nobody runs it``."""
    if standing.failure:
        return str(State.FAILED)
    if standing.paused:
        return "paused"
    reports = [shard.report for shard in standing.shards]
    if any(
        report is None or _silence(standing, shard) > FRESH
        for report, shard in zip(reports, standing.shards, strict=True)
    ):
        return NOBODY
    return str(_worst(standing).state)


def in_words(standing: BuildStanding) -> str:
    """The same, with the reason where it does not go on."""
    word = in_a_word(standing)
    if failure := standing.failure:
        where = f"position {failure.position}: {failure.event} ({failure.event_id})"
        return f"{word} at {where}: {failure.error}"
    if standing.paused:
        return f"{word} by {standing.paused.by}: {standing.paused.reason}"
    if word == NOBODY:
        return word
    error = _worst(standing).error
    return f"{word}: {error}" if error else word


def _worst(standing: BuildStanding) -> Report:
    """What the shard that is worst off reports."""
    reports = [shard.report for shard in standing.shards if shard.report]
    return max(reports, key=lambda report: list(State).index(report.state))
