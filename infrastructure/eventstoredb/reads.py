"""Reads from the leader: the client reconnects for every kind of call but a read.

A read on a member that is no longer the leader fails only at its first event, after the client's
own retries. The messages are read without the client, which takes as long to make its events of
them as to receive them.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable

from esdbclient import AsyncReadResponse
from esdbclient.asyncio_client import autoreconnect
from esdbclient.exceptions import CancelledByClient, NotFound
from esdbclient.protos.Grpc.streams_pb2 import ReadResp

from infrastructure.eventstoredb.client import (
    DEADLINE,
    Client,
    answering,
    raise_if_cancelled,
    unavailable,
)
from infrastructure.eventstoredb.places import required

Begin = Callable[[], Awaitable[AsyncReadResponse]]
Found = ReadResp.ReadEvent


async def read(
    client: Client, begin: Begin, *, dangling: bool = False
) -> AsyncGenerator[Found, None]:
    """The events, with the links that led to them, of the read that ``begin`` starts.

    With ``dangling``, also links whose event is gone: these have no ``event``. Raises
    :class:`StoreUnavailable`, at the latest after ``DEADLINE`` seconds without a first event, and
    the client's errors about a stream.
    """
    async with answering():  # later, keepalive pings detect a lost server
        response, first = await _begun(client, begin, dangling)
    async with response:
        if first is None:
            return
        yield first
        with unavailable():
            while event := await _next(response, dangling):
                yield event
            require_whole(response)


@autoreconnect
async def _begun(_: Client, begin: Begin, dangling: bool) -> tuple[AsyncReadResponse, Found | None]:
    """The read and its first event; on a new connection if this one is unusable."""
    response = await begin()
    try:
        first = await _next(response, dangling)
        if first is None:
            require_whole(response)
    except BaseException:
        await response.stop()
        raise
    return response, first


async def _next(response: AsyncReadResponse, dangling: bool) -> Found | None:
    """The next event that is there, ``None`` after the last one. Raises ``NotFound``."""
    try:
        while True:
            message = await response._get_next_read_resp()
            match message.WhichOneof("content"):
                case "event" if dangling or message.event.HasField("event"):
                    return message.event
                case "stream_not_found":
                    raise NotFound
    except (StopAsyncIteration, CancelledByClient):
        return None


def require_whole(response: AsyncReadResponse) -> None:
    """Raises ``CancelledByClient`` if the connection broke: the client takes it for the end.

    To be called after the last event of each read.
    """
    raise_if_cancelled()
    if response.aio_call.cancelled():
        raise CancelledByClient("the connection was closed")


async def end_of_log(client: Client) -> int:
    """The commit position of the last event of clients in ``$all``; 0: there is none.

    Raises the client's errors. Its own ``get_commit_position`` says 0 where the connection breaks.
    """
    async with await client.read_all(backwards=True, limit=1, timeout=DEADLINE) as events:
        async for event in events:
            return required(event.commit_position or 0, "the position of an event")
        require_whole(events)
    return 0
