"""Actions on parked events: handle them again, or give one up."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from application.operating.action import EXAMPLES, Done, Preview, Refused, Tools
from application.parking import Held
from application.parking_stream import ParkingStream
from application.projections.builds import Note
from domain.decider import DomainError

RATE: Final = 100.0
"""Requests a second: each is an append."""
Chosen = tuple[ParkingStream, Held]


@dataclass(frozen=True)
class Selection:
    """Parked events: these, the first of one stream, or the first of each stream."""

    ids: Collection[UUID] = ()
    stream: str | None = None
    everything: bool = False
    group: str | None = None
    limit: int | None = None

    @property
    def is_one(self) -> bool:
        """Whether exactly one of the three is given."""
        return sum((bool(self.ids), self.stream is not None, self.everything)) == 1

    def __str__(self) -> str:
        if self.ids:
            shown = ", ".join(map(str, [*self.ids][:3]))
            return shown if len(self.ids) <= 3 else f"{shown} and {len(self.ids) - 3} more"
        what = f"the first of {self.stream}" if self.stream else "the first of each stream"
        of = f" in {self.group}" if self.group else ""
        return f"{what}{of}{f', at most {self.limit}' if self.limit else ''}"

    def among(self, streams: Sequence[ParkingStream]) -> Sequence[Chosen]:
        """The selected events, oldest first, but none of which the replay is requested.

        Raises :class:`Refused` for an event that is not parked, and where there are none.
        """
        if self.ids:
            return sorted((_held(id, streams) for id in self.ids), key=_since)
        found = [
            (parking, held)
            for parking in streams
            for held in firsts_of(parking)
            if not held.ready and self.stream in (None, held.parked.stream)
        ]
        if self.stream is not None and not found:
            raise Refused(f"{self.stream} has no parked event to replay")
        return sorted(found, key=_since)[: self.limit]


def _since(chosen: Chosen) -> datetime:
    parking, held = chosen
    return parking.since(held)


@dataclass(frozen=True)
class ReplayParked:
    """Handle parked events again. ``report`` gets each that is requested."""

    which: Selection
    rate: float = RATE
    report: Callable[[Chosen], None] = lambda _: None
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    @property
    def name(self) -> str:
        return "parked replay"

    @property
    def target(self) -> str:
        return str(self.which)

    @property
    def long(self) -> bool:
        return len(self.which.ids) != 1 and self.which.stream is None

    async def preview(self, tools: Tools) -> Preview:
        chosen = self.which.among(await looked_at(tools, self.which.group))
        behind = sum(parking.parked.waiting_behind(held) for parking, held in chosen)
        return Preview(
            does="Requests that they are handled again. If one succeeds, the events behind it "
            "follow in order.",
            number=len(chosen),
            unit="event",
            examples=[_named(held) for _, held in chosen[:EXAMPLES]],
            before=f"{len(chosen)} to be replayed, {behind} waiting behind them",
        )

    async def perform(self, tools: Tools, note: Note) -> Done:
        requested = 0
        refused: list[str] = []
        for parking, held in self.which.among(await looked_at(tools, self.which.group)):
            try:
                id = held.parked.event_id
                await parking.replay(id, note.by, note.reason, actor=note.acts_as)
            except DomainError as error:  # another operator, or a consumer, was first
                refused.append(str(error))
                continue
            requested += 1
            self.report((parking, held))
            await self.pause(1 / self.rate)
        if refused and not requested:
            raise Refused("; ".join(refused[:3]))
        left = f"; {len(refused):,} not: {refused[0]}" if refused else ""
        return Done(f"{requested:,} requested to be handled again{left}")


@dataclass(frozen=True)
class DiscardParked:
    """Give up one event for good."""

    event_id: UUID
    long: bool = False

    @property
    def name(self) -> str:
        return "parked discard"

    @property
    def target(self) -> str:
        return f"event {self.event_id}"

    async def preview(self, tools: Tools) -> Preview:
        parking, held = _held(self.event_id, await looked_at(tools))
        behind = parking.parked.waiting_behind(held)
        return Preview(
            does=f"{parking.group} gives this event up for good. "
            f"The {behind:,} that wait behind it are handled.",
            number=1,
            unit="event",
            examples=[_named(held)],
            before=f"parked; {behind:,} waiting behind it",
            warnings=["It cannot be undone: the group will never handle this event."],
        )

    async def perform(self, tools: Tools, note: Note) -> Done:
        parking, held = _held(self.event_id, await looked_at(tools))
        behind = parking.parked.waiting_behind(held)
        await parking.discard(self.event_id, note.by, note.reason, actor=note.acts_as)
        handled = f"; {behind} waiting behind it will be handled" if behind else ""
        return Done(f"event {self.event_id} is discarded{handled}")


async def looked_at(tools: Tools, group: str | None = None) -> Sequence[ParkingStream]:
    """The parking streams (of that group), as they are now. Raises :class:`Refused`."""
    groups = await tools.groups()
    if group is not None and group not in groups:
        known = f"groups with parked events: {', '.join(groups)}" if groups else "no group has"
        raise Refused(f"no group {group} has ever parked an event; {known}")
    streams = [tools.parking(name) for name in groups if group in (None, name)]
    for parking in streams:
        await parking.look()
    return streams


def firsts_of(parking: ParkingStream) -> Sequence[Held]:
    """The first parked event of each stream."""
    return [parking.parked.held[queue[0]] for queue in parking.parked.streams.values()]


def _held(event_id: UUID, streams: Sequence[ParkingStream]) -> Chosen:
    for parking in streams:
        if held := parking.parked.held.get(event_id):
            return parking, held
    raise Refused(f"event {event_id} is not parked; the list of parked events shows what is")


def _named(held: Held) -> str:
    parked = held.parked
    return f"{parked.type} {parked.stream}@{parked.version}: {parked.error or 'waits'}"
