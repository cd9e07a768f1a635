"""Events shared among competing consumers, each acknowledged."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from application.event_filter import EventFilter
from application.messages import RecordedEvent


class Delivery(Protocol):
    """One event handed to one consumer of a group. Settle it exactly once.

    Events that need a person are not the group's business: it would keep them in a heap, and lose
    them when it hands them out again. ``application/parking_stream.py`` parks them.
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
        """Deliver it again, to any consumer with room. ``reason`` is for people."""
        ...


@dataclass(frozen=True)
class GroupInfo:
    """How a consumer group stands."""

    name: str
    in_flight: int


def no_such_group(group: str) -> KeyError:
    """The error for an unknown group."""
    return KeyError(f"there is no consumer group {group!r}")


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

    async def fault(self) -> str | None:
        """What keeps new events from all groups, and what to do about it; ``None``: nothing does.

        Some stores hand out only what a machinery of theirs has sorted before: while that stands
        still, everything else works, but no consumer gets events. Raises :class:`StoreUnavailable`.
        """
        ...
