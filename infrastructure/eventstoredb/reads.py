"""What one read gives, asked of the leader: the client connects anew for every call but a read.

A read that meets a member which leads no longer fails when its first event is waited for, and the
client's own repetitions are over by then.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable

from esdbclient import AsyncReadResponse, RecordedEvent
from esdbclient.asyncio_client import autoreconnect

from application.ports import StoreUnavailable
from infrastructure.eventstoredb.client import Client, answering, raise_if_cancelled, unavailable

Begin = Callable[[], Awaitable[AsyncReadResponse]]


async def read(client: Client, begin: Begin) -> AsyncGenerator[RecordedEvent, None]:
    """The events of the read that ``begin`` asks the client for.

    Raises :class:`StoreUnavailable`, in place of the first event after ``DEADLINE`` seconds, and
    what the client says of a stream.
    """
    async with answering():  # later on, pings report whether it is there
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
    """The read, and its first event. Where the connection is of no use, on a new one."""
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
    """Raises :class:`StoreUnavailable` where the end is none: the client takes it for one."""
    raise_if_cancelled()
    if response.aio_call.cancelled():
        raise StoreUnavailable("EventStoreDB does not answer: the connection was closed")
