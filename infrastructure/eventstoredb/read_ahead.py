"""A consumer's events, fetched ahead by a task of their own.

The client takes a cancelled ``anext`` for the end of the whole call, and lets go of what was acked
and not sent yet. Here giving up waiting is harmless; the end is an error, as a consumer has none.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from esdbclient import RecordedEvent as ClientEvent

from application.ports import StoreUnavailable
from infrastructure.eventstoredb.client import raise_if_cancelled, unavailable

T = TypeVar("T")


@dataclass(frozen=True)
class _End:
    error: Exception


class _ReadAhead(Generic[T]):
    def __init__(self, size: int) -> None:
        self._fetched: asyncio.Queue[T | _End] = asyncio.Queue(size)

    def __aiter__(self) -> "_ReadAhead[T]":
        return self

    async def __anext__(self) -> T:
        item = await self._fetched.get()
        if isinstance(item, _End):
            self._fetched.put_nowait(item)  # for whoever asks again
            raise item.error
        return item

    async def fetch(
        self, source: AsyncIterator[ClientEvent], convert: Callable[[ClientEvent], T]
    ) -> None:
        try:
            with unavailable():
                async for event in source:
                    await self._fetched.put(convert(event))
            raise_if_cancelled()
            raise StoreUnavailable("EventStoreDB has ended the subscription")
        except Exception as error:  # whatever it is, it is for the reader
            await self._fetched.put(_End(error))


@asynccontextmanager
async def read_ahead(
    source: AsyncIterator[ClientEvent], convert: Callable[[ClientEvent], T], size: int
) -> AsyncIterator[AsyncIterator[T]]:
    """At most ``size`` events of ``source``, converted, wait to be taken."""
    events = _ReadAhead[T](size)
    task = asyncio.create_task(events.fetch(source, convert))
    try:
        yield events
    finally:
        task.cancel()
        await asyncio.wait([task])
