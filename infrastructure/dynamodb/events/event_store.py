"""Streams in DynamoDB: appended in groups, and read with strong consistency."""

from collections.abc import AsyncIterator, Sequence

from application.messages import Decoder, NewEvent, RecordedEvent
from application.ports import Appended, require_append, require_version
from infrastructure.dynamodb.events.commits import GroupCommit
from infrastructure.dynamodb.events.drafts import Draft
from infrastructure.dynamodb.events.streams import Streams
from infrastructure.dynamodb.events.tiles import Tile


class EventStore:
    """An :class:`~application.ports.EventStore`."""

    def __init__(self, streams: Streams, commits: GroupCommit, decoder: Decoder) -> None:
        self._streams, self._commits, self._decoder = streams, commits, decoder

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        """As the port; also ``ValueError`` for data that is not UTF-8, and for more than a
        transaction holds: 4 MB. ``recorded_at`` is by the clock of this machine."""
        require_append(stream, events, expected_version)
        return await self._commits.append(Draft.of(stream, events, expected_version))

    async def read(
        self,
        stream: str,
        *,
        from_version: int = 0,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        if not stream or limit == 0:
            return
        read = self._backwards if backwards else self._forwards
        count = 0
        async for event in read(stream, from_version, limit):
            yield event
            count += 1
            if count == limit:
                return

    async def _forwards(
        self, stream: str, from_version: int, limit: int | None
    ) -> AsyncIterator[RecordedEvent]:
        expected = from_version
        async for tile in self._streams.tiles(stream, from_version, limit=limit):
            for event in self._events(tile):
                if event.version >= from_version:
                    require_version(stream, expected, event.version)
                    yield event
                    expected += 1

    async def _backwards(
        self, stream: str, from_version: int, limit: int | None
    ) -> AsyncIterator[RecordedEvent]:
        async for tile in self._streams.newest(stream, limit=limit):
            for event in reversed(self._events(tile)):
                if event.version < from_version:
                    return
                yield event

    def _events(self, tile: Tile) -> Sequence[RecordedEvent]:
        self._commits.seen(tile.stream, tile.end - 1)
        return tile.recorded(self._decoder)
