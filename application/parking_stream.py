"""The parked events of a group are kept in a stream of the event store, so on every store."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID, uuid4, uuid5

from application.messages import Context, RecordedEvent, UnreadableEvent
from application.own_events import OWN
from application.parking import (
    PARKING,
    DiscardEvent,
    EventDiscarded,
    EventParked,
    EventReplayed,
    FinishReplay,
    Held,
    ParkedEvents,
    ParkEvent,
    ParkingCommand,
    QueueEvent,
    RequestReplay,
)
from application.ports import (
    NO_STREAM,
    EventStore,
    Progress,
    Subscriptions,
    WrongExpectedVersion,
)

_LONGEST_ERROR = 1000  # characters that are kept of an error


def _now() -> datetime:
    return datetime.now(UTC)


class ParkingStream:
    """The parked events of one group, as far as they have been read. Several may be open at once.

    Every method but ``parked`` and ``since`` first reads the new events of the stream. A command is
    decided on them and appended at exactly their version. All raise ``StoreUnavailable``.
    """

    def __init__(self, store: EventStore, group: str, clock: Callable[[], datetime] = _now) -> None:
        self.group, self.stream = group, PARKING.stream(group)
        self._store, self._clock = store, clock
        self._parked, self._version = ParkedEvents(), NO_STREAM
        self._last_id: UUID | None = None
        self._since: dict[UUID, datetime] = {}
        self._reading, self._begun, self._completed = asyncio.Lock(), 0, 0

    @property
    def parked(self) -> ParkedEvents:
        """The state as of the last read."""
        return self._parked

    def since(self, held: Held) -> datetime:
        """When that event was parked last."""
        return self._since[held.parked.event_id]

    async def event(self, held: Held) -> RecordedEvent | None:
        """The parked event itself; ``None`` if it is gone, or cannot be read."""
        parked = held.parked
        with suppress(UnreadableEvent):
            found = self._store.read(parked.stream, from_version=parked.version, limit=1)
            async for recorded in found:
                return recorded if recorded.id == parked.event_id else None
        return None

    async def look(self) -> ParkedEvents:
        """The state at a moment after the call. Concurrent callers share one read."""
        arrived = self._begun
        async with self._reading:
            if self._completed <= arrived:  # the last read began before this call
                self._begun += 1
                await self._read_on()
                self._completed = self._begun
        return self._parked

    async def holds(self, recorded: RecordedEvent) -> bool:
        """Whether the group must not handle that event now.

        It is parked or discarded; or it is parked by this call, behind an earlier event of its
        stream.
        """
        event = QueueEvent(
            event_id=recorded.id,
            stream=recorded.stream,
            version=recorded.version,
            type=recorded.type,
        )
        await self._carry_out(event, self._caused(recorded))
        return recorded.id in self._parked.held or recorded.id in self._parked.discarded

    async def park(self, recorded: RecordedEvent, error: str, attempts: int) -> None:
        """Park an event that has failed ``attempts`` times."""
        event = ParkEvent(
            event_id=recorded.id,
            stream=recorded.stream,
            version=recorded.version,
            type=recorded.type,
            error=error.replace("\x00", "�")[:_LONGEST_ERROR],
            attempts=attempts,
        )
        await self._carry_out(event, self._caused(recorded))

    async def park_again(self, parked: EventParked, error: str) -> None:
        """Park an event again that cannot be read from its stream now."""
        event = ParkEvent(
            event_id=parked.event_id,
            stream=parked.stream,
            version=parked.version,
            type=parked.type,
            error=error.replace("\x00", "�")[:_LONGEST_ERROR],
            attempts=1,
        )
        await self._carry_out(event, self._started(self.group))

    async def finish(self, recorded: RecordedEvent) -> None:
        """Record that a parked event has been handled."""
        finished = FinishReplay(event_id=recorded.id, stream=recorded.stream)
        await self._carry_out(finished, self._caused(recorded))

    async def replay(
        self, event_id: UUID, by: str, reason: str | None = None, *, actor: str | None = None
    ) -> None:
        """Request that an event is handled again. Raises ``NotParked``, ``WaitsBehind``.

        ``actor``: who that is, as in the metadata of events, if it is not the name alone.
        """
        request = RequestReplay(event_id=event_id, by=by, reason=reason)
        await self._carry_out(request, self._started(actor or by))

    async def discard(
        self, event_id: UUID, by: str, reason: str, *, actor: str | None = None
    ) -> None:
        """Give up an event for good. Events behind it become due. Raises ``NotParked``."""
        discard = DiscardEvent(event_id=event_id, by=by, reason=reason)
        await self._carry_out(discard, self._started(actor or by))

    async def _carry_out(self, command: ParkingCommand, context: Context) -> None:
        while True:
            parked = await self.look()
            version = self._version  # of `parked`: nothing was awaited in between
            if not (decided := PARKING.decider.decide(command, parked)):
                return
            (event,) = decided  # every parking command leads to at most one
            new = OWN.new_event(event, uuid5(context.command_id, str(version)), context)
            with suppress(WrongExpectedVersion):  # another process was first: decide again
                await self._store.append(self.stream, [new], version)
                await self.look()
                return

    def _forget(self) -> None:
        self._parked, self._version, self._last_id = ParkedEvents(), NO_STREAM, None
        self._since.clear()

    async def _read_on(self) -> None:
        """Read from the last known event. If it is gone, an older log was restored: start anew."""
        known = self._last_id is None
        async for recorded in self._store.read(self.stream, from_version=max(0, self._version)):
            if recorded.id == self._last_id:
                known = True
            elif known:
                self._take_in(recorded)
            else:
                break
        if not known:
            self._forget()
            await self._read_on()

    def _take_in(self, recorded: RecordedEvent) -> None:
        self._parked = PARKING.decider.evolve(self._parked, recorded.event)
        self._version, self._last_id = recorded.version, recorded.id
        match recorded.event:
            case EventParked(event_id=event_id):
                self._since[event_id] = recorded.occurred_at
            case EventReplayed(event_id=event_id) | EventDiscarded(event_id=event_id):
                self._since.pop(event_id, None)

    def _started(self, by: str) -> Context:
        return Context.start(by, uuid4(), self._clock())

    def _caused(self, recorded: RecordedEvent) -> Context:
        try:
            return recorded.caused(self.group, self._clock())
        except UnreadableEvent:  # another system wrote it: a correlation of its own
            return Context.start(self.group, uuid5(recorded.id, self.group), self._clock())


async def groups_that_parked(subscriptions: Subscriptions) -> Sequence[str]:
    """The groups that have ever parked an event, by name. Raises ``StoreUnavailable``."""
    groups: set[str] = set()
    async with subscriptions.catch_up(after=None, only=PARKING.only(EventParked)) as messages:
        async for message in messages:
            if not isinstance(message, Progress):
                groups.add(message.stream_id)
            elif message.caught_up:
                break
    return sorted(groups)
