"""One side of a service on a technology, opened. The wiring builds on these alone."""

from collections.abc import (
    Awaitable,
    Callable,
    Coroutine,  # only: temporal
    Mapping,  # only: dynamodb or search
    Sequence,
)
from contextlib import AbstractAsyncContextManager, nullcontext  # only: dynamodb
from dataclasses import (
    dataclass,
    field,  # only: search
)
from typing import Any

from application.catalogue import Catalogue
from application.event_filter import EventFilter  # only: temporal
from application.ports import (
    Builds,
    Checkpoints,
    ConsumerGroups,
    EventBrowser,
    EventStore,
    Leases,
    PayloadStore,
    ReadModels,
    SearchEngine,  # only: search
)
from application.projections.projection import Projection
from application.sagas.attempting import Perform  # only: temporal
from application.sagas.driving import Observer, SagaDriver  # only: temporal
from application.sagas.saga import Saga  # only: temporal
from application.whole_log import EventLog
from infrastructure.metrics import Metrics
from infrastructure.program import Check  # only: search or temporal
from infrastructure.settings import Settings


@dataclass(frozen=True)
class Given:
    """What an opener works with."""

    settings: Settings
    catalogue: Catalogue
    projections: Sequence[Projection[Any]]
    payloads: PayloadStore
    metrics: Metrics
    append_moment: float
    """Seconds in which appends that keep coming wait for each other."""


class BeyondRepair(Exception):
    """The links to events cannot be repaired here. The message says why, and what would help."""


async def nothing() -> None:
    """Do nothing."""


# only: dynamodb
async def none_to_make() -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class EventTables:
    """Tables of events that have to be there before a service starts, where a store has such."""

    make: Callable[[], Awaitable[Sequence[str]]] = none_to_make
    """Makes those that are missing; the names of the new ones. Safe to repeat, and to run in two
    processes at once. Raises ``StoreUnavailable``, ``InvalidSettings``."""
    template: Mapping[str, Any] | None = None
    """What makes the same tables, for those whose role may not: CloudFormation."""
    policy: Mapping[str, Any] | None = None
    """What the role of the service has to be allowed, and is not: for IAM."""
    apart: Callable[[], AbstractAsyncContextManager[Mapping[str, str]]] = lambda: nullcontext({})
    """Tables for one run, which are deleted in the end; yields the settings that lead to them."""


# end: dynamodb
@dataclass(frozen=True)
class EventSide:
    """Where events are."""

    streams: EventStore
    log: EventLog
    groups: ConsumerGroups
    browser: EventBrowser
    prepare: Callable[[], Awaitable[None]] = nothing
    """What the store needs before a service works on it, besides connections."""
    look: Callable[[], Awaitable[None]] = nothing
    """Updates the metrics that only this store has; called about once a second."""
    server_counts: bool = False
    """Whether the server counts events. Elsewhere the process that counts reads each of them."""
    repair_links: Callable[[Callable[[str], None]], Awaitable[None]] | None = None
    """Links each event to its category again, where the store has such links. Reports by line.
    Raises :class:`BeyondRepair`."""


# only: search
@dataclass(frozen=True)
class Apart:
    """Read models in a server of their own. While it is away, they are behind, and all else works.

    They slow no commands, and no process is less ready without them.
    """

    names: frozenset[str] = frozenset()
    checks: Mapping[str, Check] = field(default_factory=dict)
    """Each raises ``StoreUnavailable`` while its server does not answer."""
    follow: Callable[[], Awaitable[None]] = nothing
    """Lets other programs find the builds that are live now. Raises ``NotOurs`` where a name has
    been taken, and ``StoreUnavailable``."""


# end: search
@dataclass(frozen=True)
class ReadSide:
    """Where read models are."""

    read_models: ReadModels
    builds: Builds
    checkpoints: Checkpoints
    leases: Leases
    migrated: Sequence[str] = ()
    """What was changed in the database on opening it, oldest first."""
    # only: search
    apart: Apart = field(default_factory=Apart)
    """What is kept in another server than the builds."""
    # end: search


# only: temporal
@dataclass(frozen=True)
class SagaSide:
    """What drives sagas, if not the event store alone."""

    driver: Callable[[Sequence[Saga[Any]], EventFilter, EventStore], SagaDriver]
    """Of the sagas of one name: all their versions, the newest last; the events of the service."""
    work: Callable[[Sequence[Saga[Any]], EventStore, Perform, Observer], Coroutine[Any, Any, None]]
    """Does the work of these sagas until cancelled."""
    check: Check
    """Raises ``ProviderUnavailable`` while it does not answer."""


# end: temporal
# only: search
@dataclass(frozen=True)
class SearchSide:
    """Where read models are that are searched, if not beside all others."""

    engine: SearchEngine
    check: Check


# end: search
