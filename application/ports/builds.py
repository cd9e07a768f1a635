"""The builds of read models: which there are, what fills them, and what operators did to them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from application.projections.builds import (
    Build,
    BuildStanding,
    Failure,
    Note,
    OperatorAction,
    Report,
    Shard,
)
from application.projections.projection import Projection


class NotOurs(Exception):
    """The table name of a build is taken by something else. Nothing was done."""


class Builds(Protocol):
    """The builds, the process that fills each shard (a lease), and the operator actions.

    All methods raise :class:`StoreUnavailable`; those that name a build that does not exist, or is
    not in the role that they need, raise :class:`WrongRole` and change nothing.
    """

    async def register(self, projections: Collection[Projection[Any]]) -> None:
        """Make a first, live build for each read model without one. Idempotent."""
        ...

    async def standings(self, name: str | None = None) -> Sequence[BuildStanding]:
        """All builds (of that read model), by name, the live one first."""
        ...

    async def claim(
        self, reports: Mapping[tuple[Build, Shard], Report], *, seconds: float
    ) -> Collection[tuple[Build, Shard]]:
        """Take or renew the leases of shards for their reports' holders, and leave the reports.

        Returns those shards; not those that another process holds, or whose build was dropped. A
        lease that is not renewed ends after that time, by the store's clock, which also dates the
        reports.
        """
        ...

    async def release(self, build: Build, shard: Shard, holder: str) -> None:
        """Give up the lease, if ``holder`` has it: the next can take it at once."""
        ...

    async def fail(self, build: Build, shard: Shard, failure: Failure) -> None:
        """Record the event at which a runner stopped, until ``retry`` or ``skip``."""
        ...

    async def retry(self, build: Build, note: Note) -> None:
        """Clear the failures of a build, so that its runners try again."""
        ...

    async def skip(self, build: Build, event_id: UUID, note: Note) -> None:
        """Make this build skip one event, and clear the failure that it caused.

        Raises :class:`WrongRole` unless that event is what a shard of it stopped at.
        """
        ...

    async def skipped(self, build: Build) -> Mapping[UUID, Note]:
        """The events that this build skips."""
        ...

    async def pause(self, build: Build, note: Note) -> None: ...

    async def resume(self, build: Build, note: Note) -> None: ...

    async def begin(self, projection: Projection[Any], note: Note) -> Build:
        """The build that a deploy fills: the one it has begun before, or a new one beside the live.

        A new one has a number that no build of that version has ever had. Raises
        :class:`WrongRole` while one of another version is building, and :class:`NotOurs` if the
        name of its table is taken; then nothing is registered.
        """
        ...

    async def swap(self, build: Build, note: Note) -> None:
        """Let the building build answer queries; the live one becomes the previous one.

        Raises :class:`WrongRole` also when there is a previous one already: drop it first.
        """
        ...

    async def rollback(self, name: str, note: Note) -> Build:
        """Let the previous build answer queries again; the live one takes its place."""
        ...

    async def drop(self, build: Build, note: Note) -> None:
        """Remove a build that is not live, with its views, if they are ours (``NotOurs``)."""
        ...

    async def actions(self, name: str) -> Sequence[OperatorAction]:
        """The operator actions on the builds of a read model, newest first."""
        ...


class WrongRole(Exception):
    """The build is not in the role that this needs. Nothing was changed."""
