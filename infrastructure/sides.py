"""One side of a service on a technology, opened. The wiring builds on these alone."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from application.catalogue import Catalogue
from application.ports import (
    Builds,
    Checkpoints,
    ConsumerGroups,
    EventStore,
    PayloadStore,
    ReadModels,
    SearchEngine,
)
from application.projections.projection import Projection
from application.whole_log import EventLog
from infrastructure.metrics import Metrics
from infrastructure.program import Check
from infrastructure.settings import Settings


@dataclass(frozen=True)
class Given:
    """What an opener works with."""

    settings: Settings
    catalogue: Catalogue
    projections: Sequence[Projection[Any]]
    payloads: PayloadStore
    metrics: Metrics


class BeyondRepair(Exception):
    """The links to events cannot be repaired here. The message says why, and what would help."""


async def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class EventSide:
    """Where events are."""

    streams: EventStore
    log: EventLog
    groups: ConsumerGroups
    prepare: Callable[[], Awaitable[None]] = nothing
    """What the store needs before a service works on it, besides connections."""
    look: Callable[[], Awaitable[None]] = nothing
    """Updates the metrics that only this store has; called about once a second."""
    server_counts: bool = False
    """Whether the server counts events. Elsewhere the process that counts reads each of them."""
    repair_links: Callable[[Callable[[str], None]], Awaitable[None]] | None = None
    """Links each event to its category again, where the store has such links. Reports by line.
    Raises :class:`BeyondRepair`."""


@dataclass(frozen=True)
class Apart:
    """Read models in a server of their own. While it is away, they are behind, and all else works.

    They slow no commands, and no process is less ready without them.
    """

    names: frozenset[str] = frozenset()
    checks: Mapping[str, Check] = field(default_factory=dict)
    """Each raises ``StoreUnavailable`` while its server does not answer."""


@dataclass(frozen=True)
class ReadSide:
    """Where read models are."""

    read_models: ReadModels
    builds: Builds
    checkpoints: Checkpoints
    migrated: Sequence[str] = ()
    """What was changed in the database on opening it, oldest first."""
    apart: Apart = field(default_factory=Apart)
    """What is kept in another server than the builds."""


@dataclass(frozen=True)
class SearchSide:
    """Where read models are that are searched, if not beside all others."""

    engine: SearchEngine
    check: Check
