"""Endless streams of messages, fetched ahead by tasks of their own.

So the next message is fetched while one is handled. And the client takes a cancelled ``anext`` for
the end of the whole call, which loses acks that were not sent yet; here, cancelling is harmless.
The end of a stream is an error.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from esdbclient.exceptions import EventStoreDBClientException

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
            self._fetched.put_nowait(item)  # for the next call
            raise item.error
        return item

    async def fetch(self, source: AsyncIterator[T]) -> None:
        try:
            with unavailable():
                async for message in source:
                    await self._fetched.put(message)
            raise_if_cancelled()
            raise StoreUnavailable("EventStoreDB has ended the subscription")
        except EventStoreDBClientException as error:  # its group, or its stream, has been deleted
            ended = StoreUnavailable(f"EventStoreDB has ended the subscription: {error!r}")
            await self._fetched.put(_End(ended))
        except Exception as error:  # whatever it is, it is for the reader
            await self._fetched.put(_End(error))


@asynccontextmanager
async def read_ahead(
    sources: Sequence[AsyncIterator[T]], size: int
) -> AsyncIterator[AsyncIterator[T]]:
    """At most ``size`` messages wait to be taken: of each source in its order, as they come.

    The first source that ends, ends all.
    """
    ahead = _ReadAhead[T](size)
    tasks = [asyncio.create_task(ahead.fetch(source)) for source in sources]
    try:
        yield ahead
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
