"""The claim check: data that is too large for the event store goes to a payload store, by its hash.

``ClaimCheck`` wraps an event store and is one itself. When appending, data above the limit goes to
the payload store *before* the event is appended, and the event holds a reference. When reading, the
reference is resolved and the hash verified. Callers and stores do not notice.

Every reader of events goes through :func:`claim` or :func:`claim_all`. So they also open the
personal data in them (``application/personal``), which was encrypted before it came here.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from time import time
from typing import Final

from application.messages import NewEvent, RecordedEvent
from application.ports import (
    Appended,
    EventStore,
    PayloadStore,
    PayloadUnavailable,
    StoreUnavailable,
    require_digest,
)

LIMIT = 10_000  # bytes of data in one event
TIMELY: Final = 600.0
"""Seconds from storing a payload to appending its event, at most. A payload that no event refers to
is kept for much longer, so none is removed in between."""
_MARK = re.compile(rb'\{\s*"\$claimCheck"\s*:')  # no event of ours has a field with a $


class EventTooLarge(Exception):
    """An event is larger than the limit, and no payload store is set."""


class ClaimCheck:
    """An :class:`~application.ports.EventStore` that holds no event above ``limit`` bytes."""

    def __init__(
        self,
        store: EventStore,
        payloads: PayloadStore | None,
        limit: int = LIMIT,
        clock: Callable[[], float] = time,
    ) -> None:
        """``clock``: in seconds. It has to go on while the machine sleeps."""
        self._store, self._payloads, self._limit, self._clock = store, payloads, limit, clock

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        """As the port; raises :class:`EventTooLarge` when there is no payload store."""
        began = self._clock()
        light = [await self._check_in(event) for event in events]
        if self._clock() - began > TIMELY:
            raise StoreUnavailable(
                f"storing the data of {stream} took more than {TIMELY:g} s, so nothing was appended"
            )
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


def refers(recorded: RecordedEvent) -> bool:
    """Whether its data is in the payload store."""
    return _MARK.match(recorded.data) is not None


def reference(recorded: RecordedEvent) -> str:
    """The digest of its payload. Raises :class:`PayloadUnavailable` for what cannot be one."""
    where = f"{recorded.stream}@{recorded.version}"
    try:
        digest = str(json.loads(recorded.data)["$claimCheck"]["sha256"])
    except (ValueError, LookupError, TypeError) as error:
        raise PayloadUnavailable(f"{where} has a reference without a SHA-256") from error
    require_digest(digest)
    return digest


async def opened(events: Sequence[RecordedEvent]) -> Sequence[RecordedEvent]:
    """The events with their personal data, or masks in its place; they have their full data."""
    if not events or (personal := events[0].decoder.personal) is None:
        return events
    return await personal.opened(events)


async def claim(recorded: RecordedEvent, payloads: PayloadStore | None) -> RecordedEvent:
    """The event as it was appended, whether or not it is a claim check or has personal data."""
    whole = await fetched(recorded, payloads)
    return whole if whole.decoder.personal is None else (await opened([whole]))[0]


async def fetched(recorded: RecordedEvent, payloads: PayloadStore | None) -> RecordedEvent:
    """The event with its full data, not opened."""
    if not refers(recorded):
        return recorded
    if payloads is None:
        where = f"{recorded.stream}@{recorded.version}"
        raise PayloadUnavailable(f"the data of {where} is in a payload store, and none is set")
    return recorded.with_data(await payloads.get(reference(recorded)))


async def claim_all(
    events: Sequence[RecordedEvent], payloads: PayloadStore | None
) -> Sequence[RecordedEvent]:
    """The same for many events; their payloads are fetched concurrently, and their keys at once."""
    elsewhere = [recorded for recorded in events if refers(recorded)]
    if not elsewhere:
        return await opened(events)
    found = await asyncio.gather(*(fetched(recorded, payloads) for recorded in elsewhere))
    whole = {recorded.id: recorded for recorded in found}
    return await opened([whole.get(recorded.id, recorded) for recorded in events])
