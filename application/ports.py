"""Every seam of the service. An adapter fulfils one of these and is held to it by its contract.

    EventStore      append and read streams             memory, EventStoreDB, PostgreSQL
    Subscriptions   follow all events, in order         memory, EventStoreDB, PostgreSQL
    StoreFacts      which store it is, and how much     memory, EventStoreDB, PostgreSQL
                    is in it
    ConsumerGroups  share events among competing        memory, EventStoreDB, PostgreSQL
                    consumers, each acknowledged
    PayloadStore    keep what is too large for an       memory, directory
                    event, by its hash
    Views           what a build of a projection        memory, PostgreSQL
                    shows, and how far it has come
    ReadModels      the views that answer queries now,  memory, PostgreSQL
                    and those of any other build
    Builds          which builds there are, who fills   memory, PostgreSQL
                    each, and what operators did
    PaymentProvider hold, take and give back money      memory, HTTP
    Carrier         book and cancel parcels             memory, HTTP
    Audit           what both have in their books       memory, HTTP

The contract of each port is a test suite in ``tests/contracts/``, run on every adapter.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from application.event_filter import EventFilter
from application.messages import NewEvent, RecordedEvent
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
from domain.values import Money, OrderId

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


class StreamUnusable(Exception):
    """A stream of which a part is gone: nothing is decided upon what is left of it."""

    def __init__(self, stream: str, what: str) -> None:
        super().__init__(f"{stream} {what}: nothing can be decided upon what is left of it")
        self.stream = stream


class StreamHasHole(StreamUnusable):
    """Events of a stream are missing, before the first that is there or between two."""

    def __init__(self, stream: str, missing: int, found: int | None = None) -> None:
        shown = "shows none at all" if found is None else f"goes on with version {found}"
        super().__init__(stream, f"lacks version {missing} and {shown}")


class StreamDeleted(StreamUnusable):
    """An operator has deleted a stream."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream, "was deleted")


@dataclass(frozen=True)
class Appended:
    """Where the last event of an append stands: in its stream, and among all events."""

    version: int
    position: int


def require_version(stream: str, expected: int, found: int) -> None:
    """Raise :class:`StreamHasHole` unless the next event that was found has that version."""
    if found != expected:
        raise StreamHasHole(stream, expected, found)


class EventStore(Protocol):
    """Streams of immutable events. Nothing here can change or delete one."""

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        """Append all of ``events`` or none, if the stream's last version is ``expected_version``.

        Durable when it returns. Repeating an append (same ids, same expected version) changes
        nothing and answers as the first time.
        Raises :class:`WrongExpectedVersion`, :class:`StoreUnavailable`, :class:`StreamDeleted`, and
        ``ValueError`` for no events or for a version that is none (so "any" cannot be asked for).
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
        Raises :class:`StoreUnavailable`, and :class:`StreamDeleted` where the store knows that it
        was. Forwards, versions have no gap: raises :class:`StreamHasHole`, at the latest where the
        gap is.
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
        self, *, after: int | None, only: EventFilter
    ) -> AbstractAsyncContextManager[AsyncIterator[RecordedEvent | Progress]]:
        """All events that ``only`` admits after that position (``None``: all), for ever.

        Exactly once each and in order; ``Progress`` now and then, and always once the end is
        reached. The store filters as far as it can. Giving up on an ``anext`` (a timeout) ends it.
        Raises :class:`StoreUnavailable` when the connection breaks: subscribe again after the last
        position seen.
        """
        ...


class StoreFacts(Protocol):
    """What there is to know of the store as a whole."""

    async def count(self, only: EventFilter) -> int | None:
        """How many events ``only`` admits; ``None`` where the store cannot tell.

        It may be a moment behind. Raises :class:`StoreUnavailable`.
        """
        ...

    async def head(self) -> int:
        """The position of the last event that the store shows, whosever it is; -1 for none.

        Records of the store's own may follow. Raises :class:`StoreUnavailable`.
        """
        ...

    async def store_id(self) -> str | None:
        """A name of the store that no other has, the same for all its clients and for good.

        ``None`` as long as it holds no event of ours. Raises :class:`StoreUnavailable`.
        """
        ...


class Delivery(Protocol):
    """One event handed to one consumer of a group. Settle it exactly once.

    Events that need a person are not the group's business: it would keep them in a heap, and lose
    them when it hands them out again. They go to a parking lot (``application/parking_lot.py``).
    """

    @property
    def recorded(self) -> RecordedEvent:
        """The event. Do not build on its position: it may be that of a link to it."""
        ...

    @property
    def retries(self) -> int:
        """How many times it has been handed out before."""
        ...

    async def ack(self) -> None:
        """Done: it does not come back."""
        ...

    async def retry(self, reason: str) -> None:
        """Not now: hand it out again, soon, to whoever has room. ``reason`` is for people."""
        ...


@dataclass(frozen=True)
class GroupInfo:
    """How a consumer group stands."""

    name: str
    in_flight: int


class ConsumerGroups(Protocol):
    """Persistent subscriptions to all events: the group remembers, its consumers compete."""

    async def ensure(
        self,
        group: str,
        *,
        only: EventFilter,
        message_timeout: float = 30.0,
    ) -> None:
        """Create the group from the beginning of the store, unless it is there already.

        Its consumers may read the categories of ``only``.

        What is not settled within ``message_timeout`` seconds is handed out again.
        """
        ...

    def consume(
        self, group: str, *, only: EventFilter, buffer: int = 100
    ) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        """Deliveries for one consumer, at most ``buffer`` unsettled at a time, for ever.

        What ``only`` does not admit is done for the group without a delivery. Every category of
        it has been ensured before.
        At least once, mostly in order. Giving up on an ``anext`` (a timeout) loses nothing. What
        is unsettled when the context ends is handed to others, and cannot be settled any more.
        Raises :class:`StoreUnavailable`, and like all below ``KeyError`` for an unknown group.
        """
        ...

    async def info(self, group: str) -> GroupInfo: ...

    async def delete(self, group: str) -> None: ...

    async def hindrance(self) -> str | None:
        """What keeps new events from all groups, and what to do about it; ``None``: nothing does.

        Some stores hand out only what a machinery of theirs has sorted before: while that stands
        still, everything else works and nobody reacts. Raises :class:`StoreUnavailable`.
        """
        ...


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


# ── read models ──────────────────────────────────────────────────────────────────────────────────

V = TypeVar("V", bound=View)


class CheckpointMoved(Exception):
    """Another runner has advanced this build: this one must stop and look again."""


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


# ── outside ──────────────────────────────────────────────────────────────────────────────────────
#
# Whoever asks for something that costs money or moves a parcel gives the call a key, and keeps it
# before asking. Repeated under that key, a call has the first answer and acts no second time; a key
# that was used for something else is refused. The key names what the call has made, too: what
# somebody may have made without telling us can still be undone.


class ProviderUnavailable(Exception):
    """A provider could not be asked, or could not act: nothing has happened. Try again later."""


class OutcomeUnknown(Exception):
    """A provider was asked and gave no answer: it has acted, or not, or is about to.

    Ask again under the same key, look with ``find``, or undo it.
    """


class ProviderRefused(Exception):
    """A provider will never do this, and nothing has happened: the call itself makes no sense."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Authorised:
    """The money is held. ``reference`` is what the provider calls it, for people to look it up."""

    reference: str


@dataclass(frozen=True)
class Booked:
    """The carrier comes for the parcels."""

    tracking_code: str


@dataclass(frozen=True)
class Declined:
    """The provider could, but will not: an answer like any other, and final under this key."""

    reason: str


@dataclass(frozen=True)
class Done:
    """The call has been carried out, and there is nothing more to say."""


class PaymentProvider(Protocol):
    """Holds, takes and gives back customers' money. An authorisation is named by its key.

    All methods but ``find`` raise :class:`ProviderUnavailable`, :class:`OutcomeUnknown` and
    :class:`ProviderRefused`.
    """

    async def authorise(self, key: str, order_id: OrderId, amount: Money) -> Authorised | Declined:
        """Hold ``amount``, until it is captured or voided."""
        ...

    async def capture(self, key: str, authorisation: str, amount: Money) -> None:
        """Take ``amount`` of what is held, once; the rest is held no longer."""
        ...

    async def void(self, key: str, authorisation: str) -> None:
        """Let go of what is held. Refused once it is captured.

        An authorisation that the provider has not heard of cannot be made any more after this: the
        late call is declined. So voiding is right where the outcome is unknown.
        """
        ...

    async def refund(self, key: str, authorisation: str, amount: Money) -> None:
        """Give back ``amount`` of what was captured; several times, as long as there is some."""
        ...

    async def find(self, key: str) -> Authorised | Declined | Done | None:
        """What has come of the call with this key so far, told as it told it.

        ``None``: nothing yet, though a call under way may still arrive. Raises
        :class:`ProviderRefused` as the call did, and :class:`ProviderUnavailable`.
        """
        ...


class Carrier(Protocol):
    """Takes parcels to customers. A booking is named by its key; errors as for payments."""

    async def book(
        self, key: str, order_id: OrderId, country: str | None, parcels: int = 1
    ) -> Booked | Declined:
        """Have so many parcels of an order fetched and taken to that country."""
        ...

    async def cancel(self, key: str, booking: str) -> None:
        """Have nothing fetched. As ``void``: a booking not heard of cannot be made any more."""
        ...

    async def find(self, key: str) -> Booked | Declined | Done | None:
        """As for payments."""
        ...


@dataclass(frozen=True)
class PaymentOnBooks:
    """One authorisation that was granted, and all that became of it."""

    key: str
    order_id: OrderId
    authorised: Money
    captured: Money
    refunded: Money
    voided: bool

    @property
    def held(self) -> Money:
        """What the customer can neither spend nor has paid."""
        settled = self.voided or self.captured.amount > 0
        return Money.zero(self.authorised.currency) if settled else self.authorised


@dataclass(frozen=True)
class BookingOnBooks:
    """One booking that was taken."""

    key: str
    order_id: OrderId
    country: str | None
    parcels: int
    tracking_code: str
    cancelled: bool


class Audit(Protocol):
    """The providers' own books, to compare with ours. Raises :class:`ProviderUnavailable`."""

    async def payments(self) -> Sequence[PaymentOnBooks]:
        """Every authorisation ever granted, in order."""
        ...

    async def bookings(self) -> Sequence[BookingOnBooks]:
        """Every booking ever taken, in order."""
        ...
