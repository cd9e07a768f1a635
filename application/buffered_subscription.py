"""One subscription to the store for several readers: it keeps the last messages for all of them.

Memory is bounded. The subscription stays a limited number of messages ahead of its fastest reader.
While it is far from the end of the log, it also waits for the slowest, which costs less than to
read and decode the same events twice. Near the end it does not wait: the oldest messages go, and
a reader that has not read them is left behind.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable
from math import inf
from typing import Final

from application.ending import end
from application.event_filter import EventFilter, kind_of
from application.messages import RecordedEvent
from application.pacing import apart
from application.ports import Progress, StoreUnavailable, Subscriptions

Message = RecordedEvent | Progress

KEPT: Final = 2_000  # messages for readers to come, and for slow ones
AHEAD: Final = 1_000  # messages that no reader has asked for yet, at most
PATIENCE: Final = 1.0  # seconds to wait for a reader that does not move
_OFTEN: Final = 64  # messages after which a reader reports that it has moved


class Reader:
    """One subscriber, and where it reads on."""

    def __init__(self, position: int, only: EventFilter) -> None:
        self.position, self.only = position, only  # it has all events up to this position
        self.number = 0  # of the next message
        self.at_end = False  # the end of the log was announced to it, as it is once
        self.waited_for = True


class BufferedSubscription:
    """Readers join and leave; it reads as long as it is open."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        after: int,
        only: EventFilter,
        at_end: Callable[[], None],
        *,
        kept: int = KEPT,
        patience: float = PATIENCE,
        rest: float = 0.0,
    ) -> None:
        """All that ``only`` admits after the position ``after``. It begins to read at once.

        ``at_end`` is called when it has reached the end of the log. It reads on ``rest`` seconds
        after each time that the store announces that end.
        """
        self._at_end, self._rest = at_end, rest
        self.only, self._kept, self._patience = only, kept, patience
        self._after = self._end = after  # all events between these positions are kept
        self._messages: list[Message] = []
        self._kinds: list[tuple[str, str] | None] = []  # category and type of each; no event: none
        self._first = 0  # the number of the oldest message that is kept
        self._limit = 0  # the number of the first message that may not be read yet
        self._since_end = 0  # messages since the log's end was seen
        self._readers: set[Reader] = set()
        self.over = False  # whether it has stopped reading
        self._error: Exception | None = None
        self._news, self._moved = asyncio.Event(), asyncio.Event()
        self._awaited = False  # a reader waits for news
        self._now = asyncio.get_running_loop().time
        self._waking: asyncio.TimerHandle | None = None
        self._next_wake, self._unannounced = -inf, 0  # when, and messages since the last one
        self._live = False  # it has reached the end of the log before
        self._task = asyncio.create_task(
            self._read(subscriptions, after), name="shared subscription"
        )

    # ── for readers ──────────────────────────────────────────────────────────────────────────────

    def has(self, reader: Reader) -> bool:
        """Whether this reader can go on here and misses nothing."""
        covers = self.only.covers(reader.only)
        return covers and not self.over and self._after <= reader.position <= self._end

    def join(self, reader: Reader) -> None:
        """Let it read on after its position. The end of the log is announced to it once more."""
        at = bisect_right(self._messages, reader.position, key=lambda one: one.position)
        reader.number, reader.waited_for, reader.at_end = self._first + at, True, False
        self._readers.add(reader)
        self._limit = 0  # to be set anew
        self._moved.set()

    def leave(self, reader: Reader) -> bool:
        """Returns whether no reader is left."""
        self._readers.discard(reader)
        self._moved.set()
        return not self._readers

    def lost(self, reader: Reader) -> bool:
        """Whether messages that it has not read are gone."""
        return reader.number < self._first

    def next(self, reader: Reader) -> Message | None:
        """The next message that concerns this reader; ``None``: there is none yet."""
        first, messages, kinds, wanted = self._first, self._messages, self._kinds, reader.only.pairs
        everything = reader.only.everything
        if self.lost(reader):
            return None
        for at in range(reader.number - first, len(messages)):
            message = messages[at]
            reader.number, reader.position = first + at + 1, message.position
            if reader.number % _OFTEN == 0:
                self._moved.set()
            kind = kinds[at]
            if everything or kind is None or kind in wanted:
                reader.at_end = reader.at_end or _is_end(message)
                return message
        self._moved.set()
        return self._announced_end(reader)

    def _announced_end(self, reader: Reader) -> Progress | None:
        """Of a log whose end was there before this reader came: the store announces it once."""
        if reader.at_end or not self._live:
            return None
        reader.at_end, reader.position = True, max(reader.position, self._end)
        return Progress(reader.position, caught_up=True)

    async def more(self, reader: Reader) -> bool:
        """Wait for messages; ``False``: there are no more. Raises what the store raised."""
        if reader.number < self._next:
            return True
        if not self.over:
            self._awaited = True
            await self._news.wait()
            return True
        if isinstance(self._error, StoreUnavailable):
            raise StoreUnavailable(str(self._error)) from self._error
        if self._error:
            raise self._error
        return False

    def wake(self) -> None:
        """Let all readers that wait look again."""
        if self._waking:
            self._waking.cancel()
        self._awaited, self._waking = False, None
        self._next_wake, self._unannounced = self._now() + apart(self._unannounced), 0
        self._news.set()
        self._news = asyncio.Event()

    async def close(self) -> None:
        """Stop reading."""
        self.over = True
        await end([self._task])

    # ── reading ──────────────────────────────────────────────────────────────────────────────────

    async def _read(self, subscriptions: Subscriptions, after: int) -> None:
        start = None if after < 0 else after
        try:
            async with subscriptions.catch_up(after=start, only=self.only) as messages:
                async for message in messages:
                    self._keep(message)
                    if self._next >= self._limit:
                        await self._room()
                    if self._rest and _is_end(message):
                        await asyncio.sleep(self._rest)
        except Exception as error:  # whatever it is, each reader gets it
            self._error = error
        finally:
            self.over = True
            self.wake()

    @property
    def _next(self) -> int:
        """The number of the next message from the store."""
        return self._first + len(self._messages)

    def _keep(self, message: Message) -> None:
        self._messages.append(message)
        self._kinds.append(kind_of(message) if isinstance(message, RecordedEvent) else None)
        self._end = message.position
        self._since_end = 0 if _is_end(message) else self._since_end + 1
        if len(self._messages) > self._kept + self._kept // 4:  # many at a time
            self._drop(len(self._messages) - self._kept)
        self._unannounced += 1
        if self._awaited:
            self._announce()
        if _is_end(message):
            self._live = True
            self._at_end()

    def _announce(self) -> None:
        """At the end of the log, readers get what comes within a while together."""
        if not self._live or self._next_wake <= self._now():
            self.wake()
        elif self._waking is None:
            self._waking = asyncio.get_running_loop().call_at(self._next_wake, self.wake)

    def _drop(self, count: int) -> None:
        self._after = self._messages[count - 1].position
        self._first += count
        del self._messages[:count], self._kinds[:count]

    async def _room(self) -> None:
        """Wait until the next message may be read."""
        while self._next >= self._reach():
            if self._unannounced:
                self.wake()
            slowest = self._slowest()
            number, patience = slowest and slowest.number, self._patience if slowest else None
            self._moved.clear()
            try:
                async with asyncio.timeout(patience):
                    await self._moved.wait()
            except TimeoutError:
                if slowest and slowest.number == number:
                    slowest.waited_for = False

    def _reach(self) -> int:
        """Sets the limit up to which messages may be read, and returns it."""
        slowest = self._slowest()
        fastest = max((reader.number for reader in self._readers), default=self._first)
        self._limit = fastest + min(AHEAD, self._kept // 2)
        if slowest:
            self._limit = min(self._limit, slowest.number + self._kept)
        return self._limit

    def _slowest(self) -> Reader | None:
        """The reader that is waited for; ``None`` near the end of the log."""
        if self._since_end < self._kept // 2:
            return None
        waited_for = [one for one in self._readers if one.waited_for and not self.lost(one)]
        return min(waited_for, key=lambda one: one.number, default=None)


def _is_end(message: Message) -> bool:
    return isinstance(message, Progress) and message.caught_up
