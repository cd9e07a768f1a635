"""What the builds of projections show, which builds there are, and who fills them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from application.projections.builds import (
    WHOLE,
    Action,
    Build,
    Failure,
    Note,
    Report,
    Shard,
    Standing,
)
from application.projections.comparing import Comparison
from application.projections.projection import Projection, View

V = TypeVar("V", bound=View)


class NotOurs(Exception):
    """The name under which a build would be kept is taken by something else; nothing was done."""


@dataclass(frozen=True)
class Seen(Generic[V]):
    """A view (or a part), and the position of the last event that shaped it."""

    view: V
    position: int


@dataclass(frozen=True)
class Sums:
    """How many views there are, and what their fields come to."""

    views: int
    fields: Mapping[str, Decimal]


class Views(Protocol[V]):
    """What one shard of one build shows: views by key, parts by key, and the checkpoint.

    They change together or not at all. Reading them shows all shards.
    """

    async def prepare(self) -> None:
        """Make room for them, unless it is there. Raises :class:`NotOurs`."""
        ...

    async def checkpoint(self) -> int | None:
        """The position up to which every event of this shard is in; ``None`` before the first."""
        ...

    async def load(self, keys: Collection[str]) -> Mapping[str, Seen[V]]:
        """The views of these keys that exist, in one query."""
        ...

    async def load_parts(self, keys: Collection[str]) -> Mapping[str, Seen[Any]]:
        """The parts of these keys that exist, in one query."""
        ...

    async def save(
        self,
        changed: Mapping[str, Seen[V] | None],
        *,
        parts: Mapping[str, Seen[Any] | None] = MappingProxyType({}),
        events: int = 0,
        checkpoint: int,
        expected: int | None,
    ) -> None:
        """Write (``None``: remove) these views and parts, and the checkpoint, in one transaction.

        ``events`` more have been passed on the way. Raises :class:`CheckpointMoved` unless the
        checkpoint is still ``expected``. Cancelled, it has written everything or nothing.
        """
        ...

    async def find(
        self,
        *,
        equal: Mapping[str, str],
        by: str | None = None,
        after: str | None = None,
        until: str | None = None,
        limit: int = 50,
    ) -> Sequence[tuple[str, Seen[V]]]:
        """Views whose fields equal all of these, in the order of their keys, at most ``limit``.

        Beyond the key ``after``, up to and with the key ``until``. Only fields that the projection
        declares as ``indexed`` can be asked for (``ValueError``). What it declares as ``detail`` is
        left at its default.

        With ``by``: in the order of that field's text, then of their keys, without those that have
        none; ``after`` is then the key of a view that there is, ``until`` a text of the field.
        """
        ...

    async def count(
        self, *, equal: Mapping[str, str], by: str | None = None, until: str | None = None
    ) -> int:
        """How many views ``find`` would find, had it no limit."""
        ...

    async def search(
        self, words: str, *, after: tuple[Decimal, str] | None = None, limit: int = 50
    ) -> Sequence[tuple[str, Seen[V]]]:
        """Views in whose ``searched`` fields every one of these words begins a word.

        Case, order and punctuation do not matter. Largest ``ranked`` first, then by key; beyond
        that rank and key. No word at all finds everything. ``ValueError`` for a projection that
        declares nothing as ``searched`` or ``ranked``.
        """
        ...

    async def sums(self, fields: Collection[str], *, by: str) -> Mapping[str, Sums]:
        """Exact sums of numbers or money over all views, for each value of the field ``by``.

        Money counts with its amount: ask by currency. A field that no view has: ``ValueError``.
        """
        ...

    async def clear(self) -> None:
        """Forget all views, all parts, and the checkpoint."""
        ...


class ReadModels(Protocol):
    """Where the views of all builds are."""

    async def live(self, projection: Projection[V]) -> Views[V]:
        """The views that answer queries now: of the live build, if its version is declared here.

        Else of the newest build there is of a declared version: a process of the last release goes
        on with what it knows. Raises :class:`NotBuilt` when there is none, ``StoreUnavailable``.
        """
        ...

    def of(self, projection: Projection[V], build: Build, shard: Shard = WHOLE) -> Views[V]:
        """The views of one build, whatever its role, for whoever fills it."""
        ...

    async def compare(self, live: Build, build: Build) -> Comparison:
        """What two builds of a read model show, in one snapshot, whatever events come meanwhile.

        Compared are all views that no event has shaped since both builds were at the same place.
        Raises ``StoreUnavailable``.
        """
        ...


class NotBuilt(Exception):
    """No build of this read model can be read here yet."""


class Builds(Protocol):
    """Which builds there are, who fills each shard (a lease), and what operators did.

    All methods raise :class:`StoreUnavailable`; those that name a build that does not exist, or is
    not in the role that they need, raise :class:`WrongRole` and change nothing.
    """

    async def register(self, projections: Collection[Projection[Any]]) -> None:
        """Give those that have no build at all their first, live one. Safe to do at once, twice."""
        ...

    async def standings(self, name: str | None = None) -> Sequence[Standing]:
        """All builds (of that read model), by name, the live one first."""
        ...

    async def claim(self, build: Build, shard: Shard, report: Report, *, seconds: float) -> bool:
        """Take or renew the lease of a shard for ``report.holder``, and leave the report there.

        ``False`` when another holds it, or the build is gone. A lease that is not renewed ends
        after that time, by the store's clock, which also dates the report.
        """
        ...

    async def release(self, build: Build, shard: Shard, holder: str) -> None:
        """Give up the lease, if ``holder`` has it: the next can take it at once."""
        ...

    async def fail(self, build: Build, shard: Shard, failure: Failure) -> None:
        """Remember what a runner stopped at; it stays until ``retry`` or ``skip``."""
        ...

    async def retry(self, build: Build, note: Note) -> None:
        """Forget the failures of a build, so that its runners try again."""
        ...

    async def skip(self, build: Build, event_id: UUID, note: Note) -> None:
        """Let this build pass one event by, and forget the failure it caused.

        Raises :class:`WrongRole` unless that event is what a shard of it stopped at.
        """
        ...

    async def skipped(self, build: Build) -> Mapping[UUID, Note]:
        """The events that this build passes by."""
        ...

    async def pause(self, build: Build, note: Note) -> None: ...

    async def resume(self, build: Build, note: Note) -> None: ...

    async def begin(self, projection: Projection[Any], note: Note) -> Build:
        """The build that a deploy fills: the one it has begun before, or a new one beside the live.

        One of another version that was begun before stays, until it is dropped: ``WrongRole``.
        Raises :class:`NotOurs`, and registers nothing, where its views would have no room.
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

    async def actions(self, name: str) -> Sequence[Action]:
        """What operators did to the builds of a read model, newest first."""
        ...


class WrongRole(Exception):
    """The build is not in the role that this needs. Nothing was changed."""
