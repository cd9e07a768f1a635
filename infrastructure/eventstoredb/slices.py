"""Slices of streams, of links and of ``$all``, in either direction, for those who look around."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from esdbclient.exceptions import NotFound, StreamIsDeleted

from application.messages import Decoder, RecordedEvent
from infrastructure.eventstoredb.client import DEADLINE, Client, as_recorded
from infrastructure.eventstoredb.places import required
from infrastructure.eventstoredb.reads import Begin, Found, read

SYSTEM: Final = "$"
"""How the names of the server's own streams begin, in which links are resolved."""

_AT_ONCE: Final = 20  # reads of one page


@dataclass(frozen=True)
class Linked:
    """One event of a slice, at its place; ``None`` where a link leads to none."""

    place: int
    event: RecordedEvent | None
    linked: bool
    data: bytes
    """Of the link, ``version@stream``, or of the event if no link led to it."""
    of_deletion: bool = False
    """Whether the link was written because its stream was deleted, not for an event."""

    @property
    def names(self) -> str | None:
        """The stream that a link leads to, or that an event of ``$category-…`` names."""
        _, at, linked = self.data.decode(errors="replace").partition("@")
        if at and self.linked:
            return linked
        return self.data.decode(errors="replace") if self.event else None


class Slices:
    """Reads from one server. Every method raises ``StoreUnavailable``."""

    def __init__(self, client: Client, decoder: Decoder) -> None:
        self._client, self._decoder = client, decoder

    async def of(
        self,
        source: str | None,
        after: int | None,
        limit: int,
        *,
        backwards: bool,
        until: UUID | None = None,
    ) -> Sequence[Linked]:
        """At most ``limit`` events behind that place, in order. ``None``: of all streams.

        ``until``: the id of an event of all streams that ends it, being its last one.
        """
        if source is None:
            return await self._of_all(after, limit, backwards=backwards, until=until)
        return await self._of_stream(source, after, limit, backwards=backwards)

    async def last_of(self, streams: Collection[str]) -> Mapping[str, RecordedEvent | None]:
        """The last event of each stream; ``None`` for one that shows none."""
        turns = asyncio.Semaphore(_AT_ONCE)

        async def last(stream: str) -> RecordedEvent | None:
            async with turns:
                found = await self._of_stream(stream, None, 1, backwards=True)
            return found[0].event if found else None

        wanted = list(dict.fromkeys(streams))
        found = await asyncio.gather(*map(last, wanted))
        return dict(zip(wanted, found, strict=True))

    async def _of_stream(
        self, stream: str, after: int | None, limit: int, *, backwards: bool
    ) -> Sequence[Linked]:
        if backwards and after == 0:
            return []
        start = after if after is None else after + (-1 if backwards else 1)
        begin = partial(
            self._client.read_stream,
            stream,
            stream_position=start if backwards else start or 0,
            backwards=backwards,
            resolve_links=stream.startswith(SYSTEM),
            limit=limit,
            timeout=DEADLINE,
        )
        try:
            return await self._read(begin, of_all=False)
        except (NotFound, StreamIsDeleted):
            return []

    async def _of_all(
        self, after: int | None, limit: int, *, backwards: bool, until: UUID | None
    ) -> Sequence[Linked]:
        again = after is not None and not backwards  # then the event at the place comes first
        begin = partial(
            self._client.read_all,
            commit_position=after,
            backwards=backwards,
            limit=limit + again,
            timeout=DEADLINE,
        )
        found = await self._read(begin, of_all=True, until=until)
        return found[1:] if again and found and found[0].place == after else found[:limit]

    async def _read(
        self, begin: Begin, *, of_all: bool, until: UUID | None = None
    ) -> Sequence[Linked]:
        last, slice = str(until), list[Linked]()
        async with aclosing(read(self._client, begin, dangling=True)) as events:
            async for found in events:
                slice.append(self._linked(found, of_all=of_all))
                if found.event.id.string == last:
                    break
        return slice

    def _linked(self, found: Found, *, of_all: bool) -> Linked:
        linked = found.HasField("link")
        there = found.link if linked else found.event
        place = there.commit_position if of_all else there.stream_revision
        return Linked(
            required(place, "the place of an event"),
            as_recorded(found.event, self._decoder) if found.HasField("event") else None,
            linked,
            there.data,
            linked and b'"$deleted"' in there.custom_metadata,
        )
