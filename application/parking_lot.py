"""Where the parking lot of a group is kept: in a stream of the event store, so on every store."""

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
    Lot,
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

_TOLD = 1000  # characters that are kept of an error


def _now() -> datetime:
    return datetime.now(UTC)


class ParkingLot:
    """The parking lot of one group, as far as it has been read; any number may be open on it.

    Every method but ``lot`` reads on from where it knows the lot, decides on that, and appends with
    that exact version. All raise ``StoreUnavailable``.
    """

    def __init__(self, store: EventStore, group: str, clock: Callable[[], datetime] = _now) -> None:
        self.group, self.stream = group, PARKING.stream(group)
        self._store, self._clock = store, clock
        self._lot, self._version = Lot(), NO_STREAM
        self._last_id: UUID | None = None
        self._since: dict[UUID, datetime] = {}
        self._reading, self._begun, self._completed = asyncio.Lock(), 0, 0

    @property
    def lot(self) -> Lot:
        """As it was when it was last read."""
        return self._lot

    def since(self, held: Held) -> datetime:
        """When that event was parked, or parked again."""
        return self._since[held.parked.event_id]

    async def look(self) -> Lot:
        """The lot as it is at some moment after the call. Those who ask at once share a read."""
        arrived = self._begun
        async with self._reading:
            if self._completed <= arrived:  # the last one began before we came
                self._begun += 1
                await self._read_on()
                self._completed = self._begun
        return self._lot

    async def holds(self, recorded: RecordedEvent) -> bool:
        """Whether the group has to leave that event alone.

        It is in the lot, or was discarded there; or it waits, from now on, behind another one.
        """
        event = QueueEvent(
            event_id=recorded.id,
            stream=recorded.stream,
            version=recorded.version,
            type=recorded.type,
        )
        await self._carry_out(event, self._caused(recorded))
        return recorded.id in self._lot.held or recorded.id in self._lot.discarded

    async def park(self, recorded: RecordedEvent, error: str, attempts: int) -> None:
        """Set an event aside that has failed so many times."""
        event = ParkEvent(
            event_id=recorded.id,
            stream=recorded.stream,
            version=recorded.version,
            type=recorded.type,
            error=error.replace("\x00", "�")[:_TOLD],
            attempts=attempts,
        )
        await self._carry_out(event, self._caused(recorded))

    async def park_again(self, parked: EventParked, error: str) -> None:
        """Set an event aside that is held, and cannot be had from its stream now."""
        event = ParkEvent(
            event_id=parked.event_id,
            stream=parked.stream,
            version=parked.version,
            type=parked.type,
            error=error.replace("\x00", "�")[:_TOLD],
            attempts=1,
        )
        await self._carry_out(event, self._asked(self.group))

    async def finish(self, recorded: RecordedEvent) -> None:
        """An event that was held has been handled."""
        finished = FinishReplay(event_id=recorded.id, stream=recorded.stream)
        await self._carry_out(finished, self._caused(recorded))

    async def replay(self, event_id: UUID, by: str, reason: str | None = None) -> None:
        """Have an event handled again. Raises ``NotParked``, ``WaitsBehind``."""
        wish = RequestReplay(event_id=event_id, by=by, reason=reason)
        await self._carry_out(wish, self._asked(by))

    async def discard(self, event_id: UUID, by: str, reason: str) -> None:
        """Give an event up for good; what waits behind it is due. Raises ``NotParked``."""
        await self._carry_out(
            DiscardEvent(event_id=event_id, by=by, reason=reason), self._asked(by)
        )

    async def _carry_out(self, command: ParkingCommand, context: Context) -> None:
        while True:
            lot = await self.look()
            version = self._version  # nothing was awaited in between: it is that of the lot
            if not (decided := PARKING.decider.decide(command, lot)):
                return
            (event,) = decided  # one wish, one event
            new = OWN.new_event(event, uuid5(context.command_id, str(version)), context)
            with suppress(WrongExpectedVersion):  # somebody else has got on: look again
                await self._store.append(self.stream, [new], version)
                await self.look()
                return

    def _forget(self) -> None:
        self._lot, self._version, self._last_id = Lot(), NO_STREAM, None
        self._since.clear()

    async def _read_on(self) -> None:
        """From the last event that is known: where that is gone, an older log was restored."""
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
        self._lot = PARKING.decider.evolve(self._lot, recorded.event)
        self._version, self._last_id = recorded.version, recorded.id
        match recorded.event:
            case EventParked(event_id=event_id):
                self._since[event_id] = recorded.metadata.occurred_at
            case EventReplayed(event_id=event_id) | EventDiscarded(event_id=event_id):
                self._since.pop(event_id, None)

    def _asked(self, by: str) -> Context:
        return Context.start(by, uuid4(), self._clock())

    def _caused(self, recorded: RecordedEvent) -> Context:
        try:
            return recorded.caused(self.group, self._clock())
        except UnreadableEvent:  # another system wrote it: it begins a story of its own
            return Context.start(self.group, uuid5(recorded.id, self.group), self._clock())


async def groups_with_a_lot(subscriptions: Subscriptions) -> Sequence[str]:
    """The groups that have ever parked an event, by name. Raises ``StoreUnavailable``."""
    groups: set[str] = set()
    async with subscriptions.catch_up(after=None, only=PARKING.only(EventParked)) as messages:
        async for message in messages:
            if not isinstance(message, Progress):
                groups.add(message.stream_id)
            elif message.caught_up:
                break
    return sorted(groups)
