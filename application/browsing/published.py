"""What events have led to on the bus, and since when it is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.browsing.places import Looking
from application.claim_check import claim
from application.integration_events import Outgoing
from application.messages import RecordedEvent, UnreadableEvent
from application.ports import (
    Bus,
    BusUnavailable,
    ForwarderStanding,
    PayloadUnavailable,
    PositionLost,
    Sought,
)


@dataclass(frozen=True)
class Record:
    """A record that is published of an event."""

    topic: str
    key: str
    type: str
    published: bool | None
    """Whether it is on the bus, or the forwarder is past its event; ``None``: the bus does not
    answer."""
    at: datetime | None = None
    """When it was published, by the time that the bus keeps with it; ``None``: it is not there,
    not there any more, or was not found."""
    by: datetime | None = None
    """When the forwarder was past its event, at the latest; ``None``: it is not, or unknown."""

    @property
    def words(self) -> str:
        """How it is, for people."""
        match self.published:
            case None:
                return "published or not: the bus does not answer"
            case False:
                return "not yet published"
            case True:
                return "published" if self.at else "published, no record found"

    def after(self, event: RecordedEvent) -> float | None:
        """Seconds between its event and its publication; ``None`` if that is not known."""
        return (self.at - event.recorded_at).total_seconds() if self.at else None


async def records_of(
    looking: Looking, events: Sequence[RecordedEvent]
) -> Mapping[UUID, Sequence[Record]]:
    """The records of these events by their ids, where there is a bus."""
    if (bus := looking.bus) is None:
        return {}
    contract = looking.service.contract
    made = {one.id: await _outgoing(looking, one) for one in events if one in contract.events}
    answers, standing = await _standing(bus)
    times = await _times(bus, events, made) if standing else {}
    return {
        one.id: [_record(one, each, answers, standing, times) for each in made[one.id]]
        for one in events
        if one.id in made
    }


def _record(
    recorded: RecordedEvent,
    outgoing: Outgoing,
    answers: bool,
    standing: ForwarderStanding | None,
    times: Mapping[tuple[str, str, str], datetime],
) -> Record:
    made = (outgoing.topic, outgoing.key, outgoing.event.type)
    if not answers:
        return Record(*made, published=None)
    at = times.get(_sought(recorded, outgoing).name)
    passed = standing is not None and recorded.position <= standing.position
    by = standing.at if standing and passed else None
    return Record(*made, passed or at is not None, at, by)


async def _outgoing(looking: Looking, recorded: RecordedEvent) -> Sequence[Outgoing]:
    try:
        return looking.service.contract.outgoing(await claim(recorded, looking.payloads))
    except (PayloadUnavailable, UnreadableEvent):
        return []


async def _standing(bus: Bus) -> tuple[bool, ForwarderStanding | None]:
    """Whether the bus answers, and how far the forwarder is."""
    try:
        return True, await bus.standing()
    except (BusUnavailable, PositionLost):
        return False, None


async def _times(
    bus: Bus, events: Sequence[RecordedEvent], made: Mapping[UUID, Sequence[Outgoing]]
) -> Mapping[tuple[str, str, str], datetime]:
    sought = [_sought(one, each) for one in events for each in made.get(one.id, ())]
    try:
        times = await bus.published_at(sought)
    except BusUnavailable:
        return {}
    found = zip(sought, times, strict=True)
    return {one.name: at for one, at in found if at is not None}


def _sought(recorded: RecordedEvent, outgoing: Outgoing) -> Sought:
    event = outgoing.event
    return Sought(outgoing.topic, event.id, event.type, recorded.recorded_at)
