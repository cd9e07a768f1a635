"""Subscribers in one process that are at about the same position share one subscription.

Each event crosses the wire once and is decoded once for all of them: they get the same
``RecordedEvent``. A subscriber that is far behind the others has a subscription of its own until it
reaches what theirs still keeps; then it joins them.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial

from application.buffered_subscription import (
    KEPT,
    PATIENCE,
    BufferedSubscription,
    Message,
    Reader,
)
from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.ports import Progress, Subscriptions


class SharedSubscription:
    """A :class:`~application.ports.Subscriptions` over another one."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        *,
        kept: int = KEPT,
        patience: float = PATIENCE,
        rest: float = 0.0,
    ) -> None:
        """``kept``: messages in memory for each subscription to the store. A subscriber that does
        not read for ``patience`` seconds holds up no other.

        ``rest``: seconds from the end of the log to the next read, for subscribers that can wait.
        What comes meanwhile is read at once. A store that sends events by itself still does.
        """
        self._open = partial(
            BufferedSubscription, subscriptions, kept=kept, patience=patience, rest=rest
        )
        self._together = EventFilter(frozenset())
        self._sources: list[BufferedSubscription] = []

    def expect(self, only: EventFilter) -> None:
        """Subscribers with such filters are to come: a subscription that begins admits them."""
        self._together |= only

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, only: EventFilter
    ) -> AsyncIterator[AsyncIterator[RecordedEvent | Progress]]:
        reader = Reader(-1 if after is None else after, only)
        async with aclosing(self._follow(reader)) as messages:
            yield messages

    async def _follow(self, reader: Reader) -> AsyncGenerator[Message, None]:
        source = self._find(reader) or self._begin(reader)
        source.join(reader)
        try:
            while True:
                message = source.next(reader)
                if message is not None:
                    yield message
                if not isinstance(message, RecordedEvent) and (
                    better := self._better(source, reader)
                ):
                    better.join(reader)
                    left, source = source, better
                    await self._leave(left, reader)
                elif message is None and not await source.more(reader):
                    return
        finally:
            await self._leave(source, reader)

    def _better(self, source: BufferedSubscription, reader: Reader) -> BufferedSubscription | None:
        """Where it is to read on, if not here."""
        found = self._find(reader)
        if source.lost(reader):
            return found or self._begin(reader)
        return None if found is source or source.over else found

    def _find(self, reader: Reader) -> BufferedSubscription | None:
        """All prefer the same: the one with the most types of event, of these the newest."""
        having = [source for source in self._sources if source.has(reader)]
        return max(reversed(having), key=lambda one: len(one.only.pairs), default=None)

    def _begin(self, reader: Reader) -> BufferedSubscription:
        source = self._open(reader.position, self._together | reader.only, self._wake)
        self._sources.append(source)
        return source

    def _wake(self) -> None:
        """One has reached the end of the log: readers of others may join it."""
        if len(self._sources) > 1:
            for source in self._sources:
                source.wake()

    async def _leave(self, source: BufferedSubscription, reader: Reader) -> None:
        if source.leave(reader):
            self._sources.remove(source)
            await source.close()
