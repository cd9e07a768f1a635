"""Streams of immutable events: to append to, to read, and to follow all of them in order."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from application.event_filter import EventFilter
from application.messages import NewEvent, RecordedEvent

NO_STREAM = -1
"""The expected version of a stream that does not exist yet."""


class WrongExpectedVersion(Exception):
    """Another process appended first. ``actual`` is the stream's last version, or ``NO_STREAM``."""

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__(f"{stream} is at version {actual}, not at {expected}")
        self.stream, self.expected, self.actual = stream, expected, actual


class StreamUnusable(Exception):
    """Events of a stream are gone, so commands on it are refused."""

    def __init__(self, stream: str, what: str) -> None:
        super().__init__(f"{stream} {what}: nothing can be decided upon what is left of it")
        self.stream = stream


class StreamHasHole(StreamUnusable):
    """Events of a stream are missing, at its beginning or between two others."""

    def __init__(self, stream: str, missing: int, found: int | None = None) -> None:
        shown = "shows none at all" if found is None else f"goes on with version {found}"
        super().__init__(stream, f"lacks version {missing} and {shown}")


class StreamDeleted(StreamUnusable):
    """An operator has deleted a stream."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream, "was deleted")


@dataclass(frozen=True)
class Appended:
    """The version and the position of the last event of an append."""

    version: int
    position: int


def require_version(stream: str, expected: int, found: int) -> None:
    """Raise :class:`StreamHasHole` unless the next event that was found has that version."""
    if found != expected:
        raise StreamHasHole(stream, expected, found)


def require_append(stream: str, events: Sequence[NewEvent], expected_version: int) -> None:
    """Raise ``ValueError`` for no events, and for a version below -1."""
    if not events or expected_version < NO_STREAM:
        raise ValueError(f"append 1 event or more after version -1 or more, to {stream!r}")


class EventStore(Protocol):
    """Streams of immutable events. Nothing here can change or delete one."""

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        """Append all of ``events`` or none, if the stream's last version is ``expected_version``.

        Durable when it returns. Repeating an append (same ids, same expected version) changes
        nothing and returns the first result.
        Raises :class:`WrongExpectedVersion`, :class:`StoreUnavailable`, :class:`StreamDeleted`, and
        ``ValueError`` for no events or for a version below -1 (there is no "any" version).
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

        With ``backwards``: newest first. A stream that does not exist has no events. Raises
        :class:`StoreUnavailable`, and :class:`StreamDeleted` where the store reports a deletion.
        Forwards, raises :class:`StreamHasHole` for a gap in the versions, at the latest there.
        """
        ...


# ── following ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Progress:
    """No further event for this subscriber up to ``position``; ``caught_up``: the log ends there.

    A position of -1 means that the store is empty.
    """

    position: int
    caught_up: bool


class Subscriptions(Protocol):
    """Follow all events of the store in the order of their positions, past and future."""

    def catch_up(
        self, *, after: int | None, only: EventFilter
    ) -> AbstractAsyncContextManager[AsyncIterator[RecordedEvent | Progress]]:
        """All events that ``only`` admits after that position (``None``: all), for ever.

        Each exactly once, in order. ``Progress`` comes from time to time, and always when the end
        is reached. The store filters as far as it can. Cancelling an ``anext`` (a timeout) ends it.
        Raises :class:`StoreUnavailable` when the connection breaks: subscribe again after the last
        position seen.
        """
        ...


class StoreFacts(Protocol):
    """Facts about the store as a whole."""

    async def count(self, only: EventFilter) -> int | None:
        """The number of events that ``only`` admits; ``None`` where the store cannot count them.

        It may be a moment old. Raises :class:`StoreUnavailable`.
        """
        ...

    async def head(self) -> int:
        """The position of the last event that the store shows, of any system; -1 for none.

        Records of the store's own may follow. Raises :class:`StoreUnavailable`.
        """
        ...

    async def store_id(self) -> str | None:
        """A unique and permanent name of the store, the same for all its clients.

        ``None`` as long as it holds no event of ours. Raises :class:`StoreUnavailable`.
        """
        ...
