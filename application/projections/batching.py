"""Many messages at a time from a subscription: at once when they are few, full batches when not."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from math import inf

from application.ending import end
from application.messages import RecordedEvent
from application.ports import Progress, StoreUnavailable

Message = RecordedEvent | Progress


@dataclass(frozen=True)
class Batch:
    """At least one message, and how many more are waiting behind."""

    messages: Sequence[Message]
    behind: int


@asynccontextmanager
async def batches(
    messages: AsyncIterator[Message], *, size: int, apart: Callable[[], float]
) -> AsyncIterator[AsyncIterator[Batch]]:
    """Batches of at most ``size`` messages, in order, for ever.

    A message that comes alone is handed on at once. Messages that keep coming are collected, so
    that batches that are not full start at least ``apart()`` seconds after one another; but when
    the subscription has caught up, what is there is handed on. What it raises is raised after all
    that came before.
    """
    waiting = _Waiting(size)
    this = asyncio.current_task()
    name = this.get_name() if this else None  # its work counts as that of the projection
    reader = asyncio.create_task(waiting.read(messages), name=name)
    try:
        yield waiting.collect(apart)
    finally:
        await end([reader])


class _Waiting:
    """Messages between their reader and their collector: a queue that is emptied in one go."""

    def __init__(self, size: int) -> None:
        self._messages: list[Message] = []
        self._size = size
        self._live = self._at_once = False
        self._error: Exception | None = None
        self._some, self._enough, self._room = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def read(self, messages: AsyncIterator[Message]) -> None:
        try:
            async for message in messages:
                self._add(message)
                while len(self._messages) >= 2 * self._size:
                    self._room.clear()
                    await self._room.wait()
            raise StoreUnavailable("the subscription ended")
        except Exception as error:
            self._error = error
            self._some.set()
            self._enough.set()

    def _add(self, message: Message) -> None:
        self._messages.append(message)
        self._some.set()
        if not self._live and isinstance(message, Progress) and message.caught_up:
            self._live = self._at_once = True  # it comes once, or after every few events
        if self._at_once or len(self._messages) >= self._size:
            self._enough.set()

    async def collect(self, apart: Callable[[], float]) -> AsyncIterator[Batch]:
        now = asyncio.get_running_loop().time
        started = -inf
        while True:
            await self._some.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(started + apart()):
                    await self._enough.wait()
            started = now()
            messages = self._take()
            if len(messages) == self._size:
                await asyncio.sleep(0)  # there is room again: let the reader go on
            if messages:
                yield Batch(messages, behind=len(self._messages))
            elif self._error:
                raise self._error

    def _take(self) -> Sequence[Message]:
        taken, self._messages = self._messages[: self._size], self._messages[self._size :]
        self._room.set()
        if not self._messages and not self._error:
            self._at_once = False
            self._some.clear()
        if len(self._messages) < self._size and not self._at_once and not self._error:
            self._enough.clear()
        return taken
