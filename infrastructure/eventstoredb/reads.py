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

from application.ports import StoreUnavailable
from infrastructure.eventstoredb.client import Client, answering, raise_if_cancelled, unavailable

Begin = Callable[[], Awaitable[AsyncReadResponse]]
Found = ReadResp.ReadEvent


async def read(client: Client, begin: Begin) -> AsyncGenerator[Found, None]:
    """The events, with the links that led to them, of the read that ``begin`` starts.

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
            while event := await _next(response):
                yield event
        _require_whole(response)


@autoreconnect
async def _begun(_: Client, begin: Begin) -> tuple[AsyncReadResponse, Found | None]:
    """The read and its first event; on a new connection if this one is unusable."""
    response = await begin()
    try:
        first = await _next(response)
        if first is None:
            _require_whole(response)
    except BaseException:
        await response.stop()
        raise
    return response, first


async def _next(response: AsyncReadResponse) -> Found | None:
    """The next event that is there, ``None`` after the last one. Raises ``NotFound``."""
    try:
        while True:
            message = await response._get_next_read_resp()
            match message.WhichOneof("content"):
                case "event" if message.event.HasField("event"):
                    return message.event
                case "stream_not_found":
                    raise NotFound
    except (StopAsyncIteration, CancelledByClient):
        return None


def _require_whole(response: AsyncReadResponse) -> None:
    """Raises :class:`StoreUnavailable` if the connection broke: the client takes it for the end."""
    raise_if_cancelled()
    if response.aio_call.cancelled():
        raise StoreUnavailable("EventStoreDB does not answer: the connection was closed")
