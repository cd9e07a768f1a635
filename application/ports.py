"""Every seam of the service. An adapter fulfils one of these and is held to it by its contract.

    EventStore      append and read streams             memory, EventStoreDB
    Subscriptions   follow all events, in order         memory, EventStoreDB
    ConsumerGroups  share events among competing        memory, EventStoreDB
                    consumers, each acknowledged
    PayloadStore    keep what is too large for an       memory, directory
                    event, by its hash
    Views           one projection's views, and how     memory, PostgreSQL
                    far it has come

The contract of each port is a test suite in ``tests/contracts/``, run on every adapter.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, Protocol, TypeVar

from application.messages import NewEvent, RecordedEvent
from application.projections.projection import View

NO_STREAM = -1
"""The expected version of a stream that does not exist yet."""


class StoreUnavailable(Exception):
    """The technology behind a port does not answer; asking again later may help."""


# ── events ───────────────────────────────────────────────────────────────────────────────────────


class WrongExpectedVersion(Exception):
    """Somebody else appended first. ``actual`` is the stream's last version, or ``NO_STREAM``."""

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__(f"{stream} is at version {actual}, not at {expected}")
        self.stream, self.expected, self.actual = stream, expected, actual


@dataclass(frozen=True)
class Appended:
    """Where the last event of an append stands: in its stream, and among all events."""

    version: int
    position: int


class EventStore(Protocol):
    """Streams of immutable events. Nothing here can change or delete one."""

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        """Append all of ``events`` or none, if the stream's last version is ``expected_version``.

        Durable when it returns. Repeating an append (same ids, same expected version) changes
        nothing and answers as the first time.
        Raises :class:`WrongExpectedVersion`, :class:`StoreUnavailable`, and ``ValueError`` for no
        events or for a version that is none (so "any" cannot be asked for).
        """
        ...

    def read(
        self,
        stream: str,
        *,
        from_version: int = 0,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        """The stream's events from ``from_version`` on, oldest first, at most ``limit``.

        With ``backwards``: the same, newest first. A stream that does not exist has no events.
        Raises :class:`StoreUnavailable`.
        """
        ...


# ── following ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Progress:
    """Nothing more for this subscriber up to ``position``; ``caught_up`` when that is the end.

    A position of -1 stands for the very beginning: the store is empty.
    """

    position: int
    caught_up: bool


class Subscriptions(Protocol):
    """Follow all events of the store in the order of their positions, past and future."""

    def catch_up(
        self, *, after: int | None, types: Collection[str]
    ) -> AbstractAsyncContextManager[AsyncIterator[RecordedEvent | Progress]]:
        """All events of these types after that position (``None``: from the beginning), for ever.

        Exactly once each and in order; ``Progress`` now and then, and always once the end is
        reached. The store filters, not the client. Giving up on an ``anext`` (a timeout) ends it.
        Raises :class:`StoreUnavailable` when the connection breaks: subscribe again after the last
        position seen.
        """
        ...


class Delivery(Protocol):
    """One event handed to one consumer of a group. Settle it exactly once."""

    @property
    def recorded(self) -> RecordedEvent:
        """The event. Do not build on its position: replayed, it may be where it was parked."""
        ...

    @property
    def retries(self) -> int:
        """How many times it has been handed out before."""
        ...

    async def ack(self) -> None:
        """Done: it does not come back."""
        ...

    async def retry(self, reason: str) -> None:
        """Not now: hand it out again; parked once the group's retries are used up."""
        ...

    async def park(self, reason: str) -> None:
        """Never by itself again: set it aside for a person."""
        ...

    async def skip(self, reason: str) -> None:
        """Not wanted: drop it for this group."""
        ...


@dataclass(frozen=True)
class GroupInfo:
    """How a consumer group stands."""

    name: str
    in_flight: int
    parked: int


class ConsumerGroups(Protocol):
    """Persistent subscriptions to all events: the group remembers, its consumers compete."""

    async def ensure(
        self,
        group: str,
        *,
        types: Collection[str],
        max_retries: int = 10,
        message_timeout: float = 30.0,
    ) -> None:
        """Create the group from the beginning of the store, unless it is there already.

        What is not settled within ``message_timeout`` seconds is handed out again.
        """
        ...

    def consume(
        self, group: str, *, buffer: int = 100
    ) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        """Deliveries for one consumer, at most ``buffer`` unsettled at a time, for ever.

        At least once, mostly in order. Giving up on an ``anext`` (a timeout) loses nothing. What
        is unsettled when the context ends is handed to others, and cannot be settled any more.
        Raises :class:`StoreUnavailable`, and like all below ``KeyError`` for an unknown group.
        """
        ...

    async def replay_parked(self, group: str) -> None:
        """Hand out again, with fresh retries, all that is parked now."""
        ...

    async def info(self, group: str) -> GroupInfo: ...

    async def delete(self, group: str) -> None: ...


# ── payloads ─────────────────────────────────────────────────────────────────────────────────────


class PayloadUnavailable(Exception):
    """A payload is not there, or is not what its digest says: never pass it off as the real one."""


class PayloadStore(Protocol):
    """Bytes by the hash of their content: written once, never changed."""

    async def put(self, data: bytes) -> str:
        """Keep ``data`` durably; its SHA-256 in hex. Keeping it twice is keeping it once."""
        ...

    async def get(self, digest: str) -> bytes:
        """Raises :class:`PayloadUnavailable` when it is missing or its hash is not ``digest``."""
        ...


# ── views ────────────────────────────────────────────────────────────────────────────────────────

V = TypeVar("V", bound=View)


class CheckpointMoved(Exception):
    """Another runner has advanced this projection: this one must stop and look again."""


@dataclass(frozen=True)
class Seen(Generic[V]):
    """A view, and the position of the last event that shaped it."""

    view: V
    position: int


@dataclass(frozen=True)
class Sums:
    """How many views there are, and what their fields come to."""

    views: int
    fields: Mapping[str, Decimal]


class Views(Protocol[V]):
    """One projection's views by key, and its checkpoint: both change together or not at all."""

    async def checkpoint(self) -> int | None:
        """The position up to which every event is in the views; ``None`` before the first."""
        ...

    async def load(self, keys: Collection[str]) -> Mapping[str, Seen[V]]:
        """The views of these keys that exist, in one query."""
        ...

    async def save(
        self, changed: Mapping[str, Seen[V] | None], *, checkpoint: int, expected: int | None
    ) -> None:
        """Write (``None``: remove) these views and the new checkpoint in one transaction.

        Raises :class:`CheckpointMoved` unless the checkpoint is still ``expected``. Cancelled, it
        has written everything or nothing.
        """
        ...

    async def find(
        self, *, equal: Mapping[str, str], after: str | None = None, limit: int = 50
    ) -> Sequence[tuple[str, Seen[V]]]:
        """Views whose fields equal all of these, by key, after that key, at most ``limit``.

        Only fields that the projection declares as ``indexed`` can be asked for (``ValueError``).
        What it declares as ``detail`` is left at its default.
        """
        ...

    async def sums(self, fields: Collection[str], *, by: str) -> Mapping[str, Sums]:
        """Exact sums of numbers or money over all views, for each value of the field ``by``.

        Money counts with its amount: ask by currency. A field that no view has: ``ValueError``.
        """
        ...

    async def clear(self) -> None:
        """Forget all views and the checkpoint."""
        ...
