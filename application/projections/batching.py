"""Many messages at a time from a subscription: at once when they are few, full batches when not."""

import asyncio
from asyncio import Queue
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from application.messages import RecordedEvent
from application.ports import Progress, StoreUnavailable

Message = RecordedEvent | Progress


@dataclass(frozen=True)
class Batch:
    """At least one message, and whether more are waiting behind."""

    messages: Sequence[Message]
    more: bool


@asynccontextmanager
async def batches(
    messages: AsyncIterator[Message], *, size: int, apart: float
) -> AsyncIterator[AsyncIterator[Batch]]:
    """Batches of at most ``size`` messages, in order, for ever.

    A message that comes alone is handed on at once. Messages that keep coming are collected, so
    that batches that are not full start at least ``apart`` seconds after one another. What the
    subscription raises is raised after all that came before it.
    """
    queue: Queue[Message | Exception] = Queue(maxsize=2 * size)
    reader = asyncio.create_task(_read(messages, queue))
    try:
        yield _collect(queue, size, apart)
    finally:
        reader.cancel()
        await asyncio.wait([reader])


async def _read(messages: AsyncIterator[Message], queue: Queue[Message | Exception]) -> None:
    try:
        async for message in messages:
            await queue.put(message)
        raise StoreUnavailable("the subscription ended")
    except Exception as error:
        await queue.put(error)


async def _collect(
    queue: Queue[Message | Exception], size: int, apart: float
) -> AsyncIterator[Batch]:
    now = asyncio.get_running_loop().time
    started = now() - apart
    while True:
        waiting = [await queue.get()]
        if queue.qsize() < size - 1:
            await asyncio.sleep(max(0.0, started + apart - now()))
        while len(waiting) < size and not queue.empty():
            waiting.append(queue.get_nowait())
        started = now()
        messages = [message for message in waiting if not isinstance(message, Exception)]
        if messages:
            yield Batch(messages, more=not queue.empty())
        for error in waiting:  # at most one, and the last
            if isinstance(error, Exception):
                raise error
