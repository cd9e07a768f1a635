"""A build is one filling of a read model: a version, from the first event on, in its own table.

A read model is rebuilt beside the build that answers queries, never in place. A build may be split
into shards by key; each shard has a checkpoint, a lease and a report of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID
from zlib import crc32

from application.projections.projection import Projection
from application.projections.status import State


class Role(StrEnum):
    """What a build is there for, in the order in which they are shown."""

    LIVE = "live"  # it answers queries
    BUILDING = "building"  # a deploy fills it, no query reads it
    PREVIOUS = "previous"  # it was live before; still filled, so that a rollback takes no time


@dataclass(frozen=True, order=True)
class Build:
    """The name of a build. A second filling of the same version has number 2."""

    name: str
    version: int
    number: int = 1

    @property
    def table(self) -> str:
        """The name under which its views are kept. No two builds share one."""
        again = "" if self.number == 1 else f"_{self.number}"
        return f"{self.name}_v{self.version}{again}"


@dataclass(frozen=True)
class Shard:
    """One of ``of`` equal shares of the keys. The only one has them all."""

    index: int = 0
    of: int = 1

    def holds(self, key: str) -> bool:
        """Each key is in exactly one shard, the same on every machine."""
        return self.of == 1 or crc32(key.encode()) % self.of == self.index


WHOLE = Shard()


@dataclass(frozen=True)
class Note:
    """Which operator did something, why and when."""

    by: str
    reason: str
    at: datetime
    actor: str = ""
    """As in the metadata of events; empty: ``by``."""

    @property
    def acts_as(self) -> str:
        return self.actor or self.by


@dataclass(frozen=True)
class OperatorAction:
    """What an operator did: ``pause``, ``resume``, ``retry``, ``skip``, ``deploy``, ``swap`` …"""

    action: str
    build: Build
    note: Note


@dataclass(frozen=True)
class Failure:
    """The event that a runner stopped at; everything before it is in the views."""

    position: int
    event_id: UUID
    event: str  # "LinesReturned order-536365@3"
    error: str
    at: datetime


@dataclass(frozen=True)
class Report:
    """What the runner of a shard reports."""

    holder: str
    state: State
    missing_since: datetime | None = None  # when the oldest event that is not in was recorded
    rate: float = 0.0  # events a second, lately
    error: str | None = None  # what keeps it from going on


@dataclass(frozen=True)
class ShardStanding:
    """How far a shard has come. ``None`` is unknown or not there, never 0."""

    shard: Shard
    position: int | None
    events: int  # how many it has passed, its own or not, since the first
    failure: Failure | None
    report: Report | None
    reported_at: datetime | None
    leased: bool  # the lease of the reporting process has not ended

    @property
    def holder(self) -> str | None:
        """The process that fills it now."""
        return self.report.holder if self.report and self.leased else None


@dataclass(frozen=True)
class BuildStanding:
    """How a build stands: it is as far as the shard that is furthest behind."""

    build: Build
    role: Role
    paused: Note | None
    shards: Sequence[ShardStanding]
    now: datetime  # by the clock that the reports are dated with

    @property
    def position(self) -> int | None:
        """Every event up to here is in the views; ``None``: nothing is yet."""
        positions = [shard.position for shard in self.shards]
        known = [position for position in positions if position is not None]
        return min(known) if len(known) == len(positions) else None

    @property
    def events(self) -> int:
        return min(shard.events for shard in self.shards)

    @property
    def failure(self) -> Failure | None:
        return next((shard.failure for shard in self.shards if shard.failure), None)


def readable(
    name: str, standings: Sequence[BuildStanding], declared: Sequence[Projection[Any]]
) -> tuple[Projection[Any], BuildStanding] | None:
    """The build that may answer queries here, and its declaration: the live one if it is known.

    Else the previous one: a process of the last release goes on with what it knows.
    """
    known = {(projection.name, projection.version): projection for projection in declared}
    roles = {standing.role: standing for standing in standings if standing.build.name == name}
    for role in (Role.LIVE, Role.PREVIOUS):
        standing = roles.get(role)
        if standing and (projection := known.get((name, standing.build.version))):
            return projection, standing
    return None


def unreadable(name: str, standings: Sequence[BuildStanding]) -> str:
    """Why no build may answer queries here, and what to do."""
    for standing in standings:
        if standing.build.name == name and standing.role is Role.LIVE:
            return (
                f"{standing.build.table} is live, a version that this release does not know: "
                f"`projections deploy {name}` builds the one that it knows"
            )
    return f"{name} has not been built yet"
