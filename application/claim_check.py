"""The claim check: data that is too large for the event store goes to a payload store, by its hash.

``ClaimCheck`` wraps an event store and is one itself. When appending, data above the limit goes to
the payload store *before* the event is appended, and the event holds a reference. When reading, the
reference is resolved and the hash verified. Callers and stores do not notice.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from application.messages import NewEvent, RecordedEvent
from application.ports import Appended, EventStore, PayloadStore, PayloadUnavailable

LIMIT = 10_000  # bytes of data in one event
_MARK = re.compile(rb'\{\s*"\$claimCheck"\s*:')  # no event of ours has a field with a $


class EventTooLarge(Exception):
    """An event is larger than the limit, and no payload store is set."""


class ClaimCheck:
    """An :class:`~application.ports.EventStore` that holds no event above ``limit`` bytes."""

    def __init__(
        self, store: EventStore, payloads: PayloadStore | None, limit: int = LIMIT
    ) -> None:
        self._store, self._payloads, self._limit = store, payloads, limit

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        """As the port; raises :class:`EventTooLarge` when there is no payload store."""
        light = [await self._check_in(event) for event in events]
        return await self._store.append(stream, light, expected_version)

    async def read(
        self,
        stream: str,
        *,
        from_version: int = 0,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        """As the port; raises :class:`~application.ports.PayloadUnavailable`."""
        events = self._store.read(
            stream, from_version=from_version, backwards=backwards, limit=limit
        )
        async for recorded in events:
            yield await claim(recorded, self._payloads)

    async def _check_in(self, event: NewEvent) -> NewEvent:
        if len(event.data) <= self._limit:
            return event
        if self._payloads is None:
            raise EventTooLarge(
                f"{event.type} has {len(event.data):,} bytes, the limit is {self._limit:,}; "
                "larger data needs a payload store beside the event store"
            )
        digest = await self._payloads.put(event.data)
        reference = {"$claimCheck": {"sha256": digest, "size": len(event.data)}}
        return replace(event, data=json.dumps(reference, separators=(",", ":")).encode())


async def claim(recorded: RecordedEvent, payloads: PayloadStore | None) -> RecordedEvent:
    """The event with its full data, whether or not it is a claim check."""
    if not _MARK.match(recorded.data):
        return recorded
    if payloads is None:
        where = f"{recorded.stream}@{recorded.version}"
        raise PayloadUnavailable(f"the data of {where} is in a payload store, and none is set")
    digest = json.loads(recorded.data)["$claimCheck"]["sha256"]
    return recorded.with_data(await payloads.get(digest))


async def claim_all(
    events: Sequence[RecordedEvent], payloads: PayloadStore | None
) -> Sequence[RecordedEvent]:
    """The same for many events; their payloads are fetched concurrently."""
    elsewhere = [recorded for recorded in events if _MARK.match(recorded.data)]
    if not elsewhere:
        return events
    claimed = await asyncio.gather(*(claim(recorded, payloads) for recorded in elsewhere))
    whole = {recorded.id: recorded for recorded in claimed}
    return [whole.get(recorded.id, recorded) for recorded in events]
