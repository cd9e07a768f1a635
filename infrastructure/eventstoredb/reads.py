"""Reads from the leader: the client reconnects for every kind of call but a read.

A read on a member that is no longer the leader fails only at its first event, after the client's
own retries.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable

from esdbclient import AsyncReadResponse, RecordedEvent
from esdbclient.asyncio_client import autoreconnect

from application.ports import StoreUnavailable
from infrastructure.eventstoredb.client import Client, answering, raise_if_cancelled, unavailable

Begin = Callable[[], Awaitable[AsyncReadResponse]]


async def read(client: Client, begin: Begin) -> AsyncGenerator[RecordedEvent, None]:
    """The events of the read that ``begin`` starts.

    Raises :class:`StoreUnavailable`, at the latest after ``DEADLINE`` seconds without a first
    event, and the client's errors about a stream.
    """
    async with answering():  # later, keepalive pings detect a lost server
        response, first = await _begun(client, begin)
    async with response:
        if first is None:
            return
        yield first
        with unavailable():
            async for event in response:
                yield event
        _require_whole(response)


@autoreconnect
async def _begun(_: Client, begin: Begin) -> tuple[AsyncReadResponse, RecordedEvent | None]:
    """The read and its first event; on a new connection if this one is unusable."""
    response = await begin()
    try:
        first = await anext(response, None)
        if first is None:
            _require_whole(response)
    except BaseException:
        await response.stop()
        raise
    return response, first


def _require_whole(response: AsyncReadResponse) -> None:
    """Raises :class:`StoreUnavailable` if the connection broke: the client takes it for the end."""
    raise_if_cancelled()
    if response.aio_call.cancelled():
        raise StoreUnavailable("EventStoreDB does not answer: the connection was closed")
