"""The parked events of one consumer group: those that have failed, and those that wait behind them.

Stream: ``parking-<group>``.

    parked → replay requested → replayed           gone: the group has handled it
       ↑            └─→ parked again
       └─→ discarded                               gone: an operator has given it up

Of each stream, the first parked event comes first. Later events of the stream wait behind it,
without an attempt, and are due once all before them are gone. Other streams go on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Final, assert_never
from uuid import UUID

from pydantic import Field, StringConstraints

from application.category import Category
from domain.decider import Command, Decider, DomainError, Event, Missing, replace
from domain.values import Name, Text

StreamName = Annotated[str, StringConstraints(min_length=1)]
Version = Annotated[int, Field(ge=0)]
Attempts = Annotated[int, Field(ge=0)]
ErrorText = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=1000)]
"""The message of an error."""
Reason = Annotated[Text, StringConstraints(min_length=1)]

# ── events ───────────────────────────────────────────────────────────────────────────────────────


class EventParked(Event):
    """It has failed with ``error``; or, without one, it waits behind another event."""

    event_id: UUID
    stream: StreamName
    version: Version
    type: str
    error: ErrorText | None = None
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
    """A parked event. ``replay``: an operator has requested its replay."""

    parked: EventParked
    replay: bool = False

    @property
    def ready(self) -> bool:
        """Whether it can be handled without an operator, in its turn."""
        return self.replay or self.parked.error is None


class ParkedStatus(StrEnum):
    """What a parked event waits for."""

    FAILED = "failed"
    """An operator: it is the first of its stream, and could not be handled."""
    READY = "ready"
    """Its group: an operator has requested its replay, or its turn has come."""
    WAITING = "waiting"
    """The parked events of its stream that come before it."""


@dataclass(frozen=True)
class ParkedEvents:
    """All of one group, by id; and for each stream their ids, in the order of their versions."""

    held: Mapping[UUID, Held] = field(default_factory=dict)
    streams: Mapping[str, tuple[UUID, ...]] = field(default_factory=dict)
    discarded: frozenset[UUID] = frozenset()

    def first(self, stream: str, *, before: int | None = None) -> Held | None:
        """The first parked event of that stream (before that version), if there is one."""
        if stream not in self.streams:
            return None
        first = self.held[self.streams[stream][0]]
        return first if before is None or first.parked.version < before else None

    def due(self, stream: str) -> Held | None:
        """The event to handle next in that stream; ``None`` if an operator has to act first."""
        first = self.first(stream)
        return first if first and first.ready else None

    def waiting_behind(self, held: Held) -> int:
        """How many events wait behind this one."""
        return len(self.streams[held.parked.stream]) - 1 if self._is_first(held) else 0

    def status(self, held: Held) -> ParkedStatus:
        """What this one waits for."""
        if not self._is_first(held):
            return ParkedStatus.WAITING
        return ParkedStatus.READY if held.ready else ParkedStatus.FAILED

    def _is_first(self, held: Held) -> bool:
        return self.first(held.parked.stream) == held


def evolve(parked: ParkedEvents, event: ParkingEvent) -> ParkedEvents:
    match event:
        case EventParked():
            return _add(Held(event), _remove(event.event_id, parked))
        case ReplayRequested(event_id=event_id) if event_id in parked.held:
            held = replace(parked.held[event_id], replay=True)
            return replace(parked, held={**parked.held, event_id: held})
        case ReplayRequested():
            return parked
        case EventReplayed(event_id=event_id):
            return _remove(event_id, parked)
        case EventDiscarded(event_id=event_id):
            return replace(_remove(event_id, parked), discarded=parked.discarded | {event_id})
        case _:
            assert_never(event)


def _add(held: Held, parked: ParkedEvents) -> ParkedEvents:
    stream, id = held.parked.stream, held.parked.event_id
    all_held = {**parked.held, id: held}
    queue = sorted(
        (*parked.streams.get(stream, ()), id), key=lambda one: all_held[one].parked.version
    )
    return replace(parked, held=all_held, streams={**parked.streams, stream: tuple(queue)})


def _remove(event_id: UUID, parked: ParkedEvents) -> ParkedEvents:
    if event_id not in parked.held:
        return parked
    stream = parked.held[event_id].parked.stream
    queue = tuple(one for one in parked.streams[stream] if one != event_id)
    streams = {name: ids for name, ids in parked.streams.items() if name != stream}
    return replace(
        parked,
        held={one: held for one, held in parked.held.items() if one != event_id},
        streams={**streams, stream: queue} if queue else streams,
    )


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


class ParkEvent(Command):
    """Set it aside: it has failed."""

    event_id: UUID
    stream: StreamName
    version: Version
    type: str
    error: ErrorText
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
    """The event is not parked."""


class WaitsBehind(DomainError):
    """Another event of its stream comes first."""


# ── decide ───────────────────────────────────────────────────────────────────────────────────────


def decide(command: ParkingCommand, parked: ParkedEvents) -> Sequence[ParkingEvent]:
    match command:
        case ParkEvent():
            return _park(command, parked)
        case QueueEvent():
            return _queue(command, parked)
        case RequestReplay():
            return _request(command, parked)
        case FinishReplay(event_id=event_id):
            return [EventReplayed(**dict(command))] if event_id in parked.held else []
        case DiscardEvent():
            return _discard(command, parked)
        case _:
            assert_never(command)


def _park(command: ParkEvent, parked: ParkedEvents) -> Sequence[ParkingEvent]:
    held = parked.held.get(command.event_id)
    if command.event_id in parked.discarded or (held and not held.ready):
        return []
    return [EventParked(**dict(command))]


def _queue(command: QueueEvent, parked: ParkedEvents) -> Sequence[ParkingEvent]:
    if command.event_id in parked.discarded or command.event_id in parked.held:
        return []
    if first := parked.first(command.stream, before=command.version):
        return [EventParked(**dict(command), behind=first.parked.event_id)]
    return []  # nothing to wait for


def _request(command: RequestReplay, parked: ParkedEvents) -> Sequence[ParkingEvent]:
    held = _require_held(command.event_id, parked)
    if held.replay:
        return []
    first = parked.first(held.parked.stream)
    if first is not None and first != held:
        raise WaitsBehind(f"event {first.parked.event_id} of {held.parked.stream} comes first")
    return [ReplayRequested(stream=held.parked.stream, **dict(command))]


def _discard(command: DiscardEvent, parked: ParkedEvents) -> Sequence[ParkingEvent]:
    if command.event_id in parked.discarded:
        return []
    held = _require_held(command.event_id, parked)
    return [EventDiscarded(stream=held.parked.stream, **dict(command))]


def _require_held(event_id: UUID, parked: ParkedEvents) -> Held:
    if held := parked.held.get(event_id):
        return held
    raise NotParked(f"event {event_id} is not parked")


decider: Decider[ParkingCommand, ParkedEvents, ParkingEvent] = Decider(
    ParkedEvents(), evolve, decide
)
PARKING: Final = Category.of("parking", decider, ParkingCommand, ParkingEvent)
