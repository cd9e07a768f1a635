"""Whether every payload that an event refers to is there, and whole."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from application.claim_check import reference, refers
from application.event_filter import EVERYTHING
from application.messages import RecordedEvent
from application.ports import PayloadStore, PayloadUnavailable
from application.whole_log import EventLog, Report, unreported, whole_log

_AT_ONCE: Final = 16  # payloads that are fetched together


@dataclass(frozen=True)
class Fault:
    """An event whose payload is missing or damaged."""

    stream: str
    version: int
    what: str


@dataclass(frozen=True)
class Verified:
    """The result."""

    events: int
    """How many refer to a payload."""
    payloads: int
    """How many different ones they refer to."""
    faults: Sequence[Fault]
    """In the order of the events."""


async def verify(log: EventLog, payloads: PayloadStore, report: Report = unreported) -> Verified:
    """Reads all events of the log, of all programs, and fetches their payloads.

    Raises ``StoreUnavailable`` when one of the two stores does not answer.
    """
    looking, events, faults = _Looking(payloads), 0, list[Fault]()
    async with whole_log(log, EVERYTHING, report) as recorded:
        async for batch in _referring(recorded):
            events += len(batch)
            wrong = await asyncio.gather(*map(looking.at, batch))
            found = zip(batch, wrong, strict=True)
            faults += [Fault(one.stream, one.version, what) for one, what in found if what]
    return Verified(events, len(looking.known), faults)


class _Looking:
    """Fetches payloads, and remembers what is wrong with each; ``None``: it is whole."""

    def __init__(self, payloads: PayloadStore) -> None:
        self._payloads = payloads
        self.known: dict[str, str | None] = {}

    async def at(self, recorded: RecordedEvent) -> str | None:
        """What is wrong with the payload of this event."""
        try:
            digest = reference(recorded)
        except PayloadUnavailable as error:
            return str(error)
        if digest not in self.known:
            self.known[digest] = await self._fetched(digest)
        return self.known[digest]

    async def _fetched(self, digest: str) -> str | None:
        try:
            await self._payloads.get(digest)
        except PayloadUnavailable as error:
            return str(error)
        return None


async def _referring(
    events: AsyncIterator[RecordedEvent],
) -> AsyncIterator[Sequence[RecordedEvent]]:
    """The events that refer to payloads, a few at a time."""
    batch: list[RecordedEvent] = []
    async for recorded in events:
        if refers(recorded):
            batch.append(recorded)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
