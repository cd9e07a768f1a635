"""The parking lot of one consumer group: events that wait for a person, and those behind them.

Stream: ``parking-<group>``.

    parked → replay requested → replayed           gone: the group has handled it after all
       ↑            └─→ parked again
       └─→ discarded                               gone: a person has said that it is not needed

Of each stream the first event in the lot comes first: what follows it in its stream waits behind
it, without having been tried, and is due as soon as all before it are gone. Other streams flow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, assert_never
from uuid import UUID

from pydantic import Field, StringConstraints

from application.category import Category
from domain.decider import Command, Decider, DomainError, Event, Missing, replace
from domain.values import Name, Text

StreamName = Annotated[str, StringConstraints(min_length=1)]
Version = Annotated[int, Field(ge=0)]
Attempts = Annotated[int, Field(ge=0)]
Told = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=1000)]
"""What an error says."""
Reason = Annotated[Text, StringConstraints(min_length=1)]

# ── events ───────────────────────────────────────────────────────────────────────────────────────


class EventParked(Event):
    """It has failed with ``error``; or it waits behind another one, and has not been tried."""

    event_id: UUID
    stream: StreamName
    version: Version
    type: str
    error: Told | None = None
    attempts: Attempts = 0
    behind: UUID | None = None


class ReplayRequested(Event):
    event_id: UUID
    stream: StreamName
    by: Name
    reason: Text | None = None


class EventReplayed(Event):
    event_id: UUID
    stream: StreamName


class EventDiscarded(Event):
    event_id: UUID
    stream: StreamName
    by: Name
    reason: Reason


ParkingEvent = EventParked | ReplayRequested | EventReplayed | EventDiscarded

# ── state ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Held:
    """An event in the lot. ``replay``: a person wants it to be handled again."""

    parked: EventParked
    replay: bool = False

    @property
    def ready(self) -> bool:
        """Whether it needs no person, only its turn."""
        return self.replay or self.parked.error is None


@dataclass(frozen=True)
class Lot:
    """What is held, by its id; and for each stream the ids of it, in the order of its versions."""

    held: Mapping[UUID, Held] = field(default_factory=dict)
    streams: Mapping[str, tuple[UUID, ...]] = field(default_factory=dict)
    discarded: frozenset[UUID] = frozenset()

    def first(self, stream: str, *, before: int | None = None) -> Held | None:
        """What comes first in that stream (and before that version), if anything is held."""
        if stream not in self.streams:
            return None
        first = self.held[self.streams[stream][0]]
        return first if before is None or first.parked.version < before else None

    def due(self, stream: str) -> Held | None:
        """What is to be handled next in that stream, unless a person has to say so first."""
        first = self.first(stream)
        return first if first and first.ready else None

    def waiting_behind(self, held: Held) -> int:
        """How many events wait behind this one."""
        return len(self.streams[held.parked.stream]) - 1 if self._is_first(held) else 0

    def _is_first(self, held: Held) -> bool:
        return self.first(held.parked.stream) == held


def evolve(lot: Lot, event: ParkingEvent) -> Lot:
    match event:
        case EventParked():
            return _add(Held(event), _remove(event.event_id, lot))
        case ReplayRequested(event_id=event_id) if event_id in lot.held:
            held = replace(lot.held[event_id], replay=True)
            return replace(lot, held={**lot.held, event_id: held})
        case ReplayRequested():
            return lot
        case EventReplayed(event_id=event_id):
            return _remove(event_id, lot)
        case EventDiscarded(event_id=event_id):
            return replace(_remove(event_id, lot), discarded=lot.discarded | {event_id})
        case _:
            assert_never(event)


def _add(held: Held, lot: Lot) -> Lot:
    stream, id = held.parked.stream, held.parked.event_id
    all_held = {**lot.held, id: held}
    queue = sorted((*lot.streams.get(stream, ()), id), key=lambda one: all_held[one].parked.version)
    return replace(lot, held=all_held, streams={**lot.streams, stream: tuple(queue)})


def _remove(event_id: UUID, lot: Lot) -> Lot:
    if event_id not in lot.held:
        return lot
    stream = lot.held[event_id].parked.stream
    queue = tuple(one for one in lot.streams[stream] if one != event_id)
    streams = {name: ids for name, ids in lot.streams.items() if name != stream}
    return replace(
        lot,
        held={one: held for one, held in lot.held.items() if one != event_id},
        streams={**streams, stream: queue} if queue else streams,
    )


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


class ParkEvent(Command):
    """Set it aside: it has failed."""

    event_id: UUID
    stream: StreamName
    version: Version
    type: str
    error: Told
    attempts: Attempts


class QueueEvent(Command):
    """Let it wait, if something of its stream is held that comes before it."""

    event_id: UUID
    stream: StreamName
    version: Version
    type: str


class RequestReplay(Command):
    event_id: UUID
    by: Name
    reason: Text | None = None


class FinishReplay(Command):
    """It has been handled after all."""

    event_id: UUID
    stream: StreamName


class DiscardEvent(Command):
    event_id: UUID
    by: Name
    reason: Reason


ParkingCommand = ParkEvent | QueueEvent | RequestReplay | FinishReplay | DiscardEvent


class NotParked(Missing):
    """The event is not in the parking lot."""


class WaitsBehind(DomainError):
    """Another event of its stream comes first."""


# ── decide ───────────────────────────────────────────────────────────────────────────────────────


def decide(command: ParkingCommand, lot: Lot) -> Sequence[ParkingEvent]:
    match command:
        case ParkEvent():
            return _park(command, lot)
        case QueueEvent():
            return _queue(command, lot)
        case RequestReplay():
            return _request(command, lot)
        case FinishReplay(event_id=event_id):
            return [EventReplayed(**dict(command))] if event_id in lot.held else []
        case DiscardEvent():
            return _discard(command, lot)
        case _:
            assert_never(command)


def _park(command: ParkEvent, lot: Lot) -> Sequence[ParkingEvent]:
    held = lot.held.get(command.event_id)
    if command.event_id in lot.discarded or (held and not held.ready):
        return []
    return [EventParked(**dict(command))]


def _queue(command: QueueEvent, lot: Lot) -> Sequence[ParkingEvent]:
    if command.event_id in lot.discarded or command.event_id in lot.held:
        return []
    if first := lot.first(command.stream, before=command.version):
        return [EventParked(**dict(command), behind=first.parked.event_id)]
    return []  # nothing to wait for


def _request(command: RequestReplay, lot: Lot) -> Sequence[ParkingEvent]:
    held = _require_held(command.event_id, lot)
    if held.replay:
        return []
    first = lot.first(held.parked.stream)
    if first is not None and first != held:
        raise WaitsBehind(f"event {first.parked.event_id} of {held.parked.stream} comes first")
    return [ReplayRequested(stream=held.parked.stream, **dict(command))]


def _discard(command: DiscardEvent, lot: Lot) -> Sequence[ParkingEvent]:
    if command.event_id in lot.discarded:
        return []
    held = _require_held(command.event_id, lot)
    return [EventDiscarded(stream=held.parked.stream, **dict(command))]


def _require_held(event_id: UUID, lot: Lot) -> Held:
    if held := lot.held.get(event_id):
        return held
    raise NotParked(f"event {event_id} is not parked")


decider: Decider[ParkingCommand, Lot, ParkingEvent] = Decider(Lot(), evolve, decide)
PARKING: Final = Category.of("parking", decider, ParkingCommand, ParkingEvent)
