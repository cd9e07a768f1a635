"""Where streams end, as far as a process has seen, and what stands where an append should be."""

from collections.abc import AsyncIterator
from typing import Final

from application.ports import NO_STREAM, Appended, WrongExpectedVersion
from infrastructure.dynamodb.events.drafts import Draft
from infrastructure.dynamodb.events.streams import Streams

_REMEMBER: Final = 10_000  # streams of which an end is known


class Ends:
    """The ends of the streams of one database. What it reads raises ``StoreUnavailable``."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._last: dict[str, int] = {}  # by stream: the last version at which a tile ended

    def seen(self, stream: str, last: int) -> None:
        """A tile of the stream ends with that version."""
        if last > self._last.get(stream, NO_STREAM):
            self._last.pop(stream, None)
            self._last[stream] = last
            if len(self._last) > _REMEMBER:
                del self._last[next(iter(self._last))]

    async def fits(self, draft: Draft) -> bool:
        """Whether a tile ends with the expected version, and none is known behind it.

        Tiles are never taken away. So if one ends there, the next can only begin at the version
        behind it, and the condition on that one key decides.
        """
        known = self._last.get(draft.stream, NO_STREAM)
        if draft.expected <= known:
            return draft.expected == known
        tile = await self._streams.holding(draft.stream, draft.expected)
        if tile is None:
            return False
        self.seen(draft.stream, tile.end - 1)
        return tile.end - 1 == draft.expected

    async def judged(self, draft: Draft) -> Appended | None:
        """The answer to an append for which there is no room: it was made before, or the version is
        wrong, and then raises :class:`WrongExpectedVersion`. ``None``: there is room, after all."""
        there = [event async for event in self._there(draft)]
        if [id for id, _ in there] == [event.id for event in draft.events]:
            return Appended(draft.last, there[-1][1])
        last = await self._streams.last_version(draft.stream)
        self.seen(draft.stream, last)
        if last == draft.expected:
            return None
        raise WrongExpectedVersion(draft.stream, draft.expected, last)

    async def _there(self, draft: Draft) -> AsyncIterator[tuple[str, int]]:
        """Id and position of the events that stand where these should."""
        first = draft.expected + 1
        async for tile in self._streams.tiles(draft.stream, first):
            for version, event in enumerate(tile.events, tile.version):
                if version > draft.last:
                    return
                if version >= first:
                    yield event.id, tile.position + version - tile.version
