"""Streams in EventStoreDB."""

import re
import sys
from collections.abc import AsyncIterator, Sequence

from esdbclient import AsyncReadResponse, StreamState
from esdbclient import NewEvent as ClientEvent
from esdbclient.exceptions import NotFound, WrongCurrentVersion

from application.messages import NewEvent, RecordedEvent
from application.ports import NO_STREAM, Appended, StoreUnavailable, WrongExpectedVersion
from infrastructure.eventstoredb.client import (
    DEADLINE,
    Client,
    raise_if_cancelled,
    to_recorded,
    unavailable,
)


class EventStore:
    """An :class:`~application.ports.EventStore`. Reading resolves links (``$ce-order``)."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        if not events or expected_version < NO_STREAM:
            raise ValueError(f"append 1 event or more after version -1 or more, to {stream!r}")
        expected = StreamState.NO_STREAM if expected_version == NO_STREAM else expected_version
        try:
            with unavailable():
                position = await self._client.append_to_stream(
                    stream,
                    current_version=expected,
                    events=[_to_client(event) for event in events],
                    timeout=DEADLINE,
                )
        except WrongCurrentVersion as error:
            raise WrongExpectedVersion(stream, expected_version, _actual(error)) from error
        return Appended(expected_version + len(events), position)

    async def read(
        self,
        stream: str,
        *,
        from_version: int = 0,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        if limit == 0:
            return  # the server takes 0 for a mistake
        with unavailable():
            response = await self._client.read_stream(
                stream,
                stream_position=None if backwards else from_version,
                backwards=backwards,
                resolve_links=True,
                limit=limit or sys.maxsize,
            )
        async with response:
            async for recorded, version in _events(response):
                if version < from_version:
                    return
                yield recorded


async def _events(response: AsyncReadResponse) -> AsyncIterator[tuple[RecordedEvent, int]]:
    """The events of a response, each with its version in the stream that was read."""
    try:
        with unavailable():
            async for event in response:
                yield to_recorded(event), (event.link or event).stream_position
    except NotFound:
        return
    raise_if_cancelled()
    if response.aio_call.cancelled():  # a part must not pass for the whole stream
        raise StoreUnavailable("EventStoreDB does not answer: the connection was closed")


def _to_client(event: NewEvent) -> ClientEvent:
    return ClientEvent(
        id=event.id, type=event.type, data=event.data, metadata=event.metadata.to_json()
    )


def _actual(error: WrongCurrentVersion) -> int:
    """The stream's last version, which the client gives in its message only."""
    found = re.search(r"last event is (\d+)", str(error))
    return int(found[1]) if found else NO_STREAM
