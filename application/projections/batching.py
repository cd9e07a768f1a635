"""Many messages at a time from a subscription: at once when they are few, full batches when not."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

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
    messages: AsyncIterator[Message], *, size: int, apart: float
) -> AsyncIterator[AsyncIterator[Batch]]:
    """Batches of at most ``size`` messages, in order, for ever.

    A message that comes alone is handed on at once. Messages that keep coming are collected, so
    that batches that are not full start at least ``apart`` seconds after one another. What the
    subscription raises is raised after all that came before it.
    """
    waiting = _Waiting(room=2 * size)
    reader = asyncio.create_task(waiting.read(messages))
    try:
        yield waiting.collect(size, apart)
    finally:
        reader.cancel()
        await asyncio.wait([reader])


class _Waiting:
    """Messages between a reader and whoever collects them: a queue that is emptied in one go."""

    def __init__(self, room: int) -> None:
        self._messages: list[Message] = []
        self._room = room
        self._error: Exception | None = None
        self._arrived, self._taken = asyncio.Event(), asyncio.Event()

    async def read(self, messages: AsyncIterator[Message]) -> None:
        try:
            async for message in messages:
                self._messages.append(message)
                self._arrived.set()
                while len(self._messages) >= self._room:
                    self._taken.clear()
                    await self._taken.wait()
            raise StoreUnavailable("the subscription ended")
        except Exception as error:
            self._error = error
            self._arrived.set()

    async def collect(self, size: int, apart: float) -> AsyncIterator[Batch]:
        now = asyncio.get_running_loop().time
        started = now() - apart
        while True:
            await self._arrived.wait()
            if len(self._messages) < size:
                await asyncio.sleep(max(0.0, started + apart - now()))
            started = now()
            messages = self._take(size)
            if len(messages) == size:
                await asyncio.sleep(0)  # there is room again: let the reader go on
            if messages:
                yield Batch(messages, behind=len(self._messages))
            elif self._error:
                raise self._error

    def _take(self, size: int) -> Sequence[Message]:
        taken, self._messages = self._messages[:size], self._messages[size:]
        self._taken.set()
        if not self._messages and not self._error:
            self._arrived.clear()
        return taken
