"""What a stream has led to, as far as it was read: state, version, and the commands carried out.

What was read of a stream cannot become wrong, only old: history does not change, unless an older
backup of it is restored, which reading on finds out. So it may be kept and read on from, and an
append that expects its version finds out whether it is old. It may begin with a snapshot; then of
the commands before it, all that is known at first is a trace of each.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from application.category import Category
from application.messages import NewEvent, RecordedEvent
from application.ports import NO_STREAM, Appended, EventStore
from application.snapshots import Snapshot, Traces
from domain.decider import Event


@dataclass(frozen=True)
class Earlier:
    """What a command led to: the events, the first one's id, and where the last one stands."""

    first_id: UUID
    events: Sequence[Event]
    version: int
    position: int


@dataclass(frozen=True)
class Kept:
    """What is known of a stream's snapshots: their stream's version, and where the last is of."""

    version: int = NO_STREAM
    at: int = NO_STREAM


_Step = tuple[UUID, Event, int, int]
"""One event that a command led to: its id, itself, its version, its position."""


class Past:
    """One stream. Reading on at once, twice, does no harm: each event is taken in once."""

    def __init__(self, category: Category, stream: str) -> None:
        self.category, self.stream = category, stream
        self._begin()

    def _begin(self) -> None:
        """Nothing is known."""
        self.version = NO_STREAM
        self.state: Any = self.category.decider.initial
        self.kept = Kept()
        self._last_id: UUID | None = None
        self._carried_out: dict[UUID, list[_Step]] = {}
        self._traces, self._traced = Traces(), NO_STREAM  # of the commands up to that version

    async def read_on(self, store: EventStore) -> None:
        """Take in what has been appended since. Raises what the store raises.

        Where the last event that is known is not there, an older log was restored: it begins anew.
        """
        last, known = self._last_id, self._last_id is None
        async for recorded in store.read(self.stream, from_version=max(0, self.version)):
            if known:
                self._read(recorded)
            elif not (known := recorded.id == last):
                break
        if not known:
            self._begin()
            await self.read_on(store)

    async def begin(self, snapshot: Snapshot, store: EventStore) -> bool:
        """Take in a snapshot and all that follows; ``False`` if the stream knows nothing of it.

        The stream has to hold the event that the snapshot names. Raises what the store raises.
        """
        fits = False
        async for recorded in store.read(self.stream, from_version=snapshot.version):
            if recorded.version == snapshot.version:
                fits = recorded.id == snapshot.event_id
                if fits and self.version < snapshot.version:
                    self._start_from(snapshot)
            elif fits:
                self._read(recorded)
        return fits

    def appended(self, new: Sequence[NewEvent], events: Sequence[Event], at: Appended) -> None:
        """Take in what has just been appended, unless it has been read already."""
        if self.version != at.version - len(events):
            return
        for one, event in zip(new, events, strict=True):
            self._take_in(event, one.id, one.metadata.command_id, at.position)

    async def of_command(self, command_id: UUID, store: EventStore) -> Earlier | None:
        """What that command led to here; ``None`` if it has led to nothing.

        Reads the stream where it began with a snapshot, and the command has left a trace there.
        """
        while command_id not in self._carried_out and command_id in self._traces:
            await self._recall(store)
        return self.carried_out(command_id)

    def carried_out(self, command_id: UUID) -> Earlier | None:
        """The same, as far as it is known here without reading."""
        return _earlier(self._carried_out.get(command_id))

    def snapshot(self) -> Snapshot:
        """All of it, in little room. There has to be an event."""
        assert self._last_id is not None
        commands = self._traces.with_commands(self._carried_out)
        return Snapshot(self.version, self._last_id, self.state, commands)

    def _start_from(self, snapshot: Snapshot) -> None:
        self.version, self.state = snapshot.version, snapshot.state
        self._last_id, self._carried_out = snapshot.event_id, {}
        self._traces, self._traced = snapshot.commands, snapshot.version
        self.kept = replace(self.kept, at=snapshot.version)

    async def _recall(self, store: EventStore) -> None:
        before, until = Past(self.category, self.stream), self._traced
        async for recorded in store.read(self.stream, limit=until + 1):
            before._read(recorded)
        if self._traced == until:  # nobody else has done so meanwhile, or begun further on
            self._carried_out = {**before._carried_out, **self._carried_out}
            self._traces, self._traced = Traces(), NO_STREAM

    def _read(self, recorded: RecordedEvent) -> None:
        if recorded.version == self.version + 1:
            self._take_in(recorded.event, recorded.id, recorded.command_id, recorded.position)

    def _take_in(self, event: Event, id: UUID, command_id: UUID, position: int) -> None:
        self._last_id = id
        self.version += 1
        self.state = self.category.decider.evolve(self.state, event)
        self._carried_out.setdefault(command_id, []).append((id, event, self.version, position))


def _earlier(steps: Sequence[_Step] | None) -> Earlier | None:
    if not steps:
        return None
    ids, events, versions, positions = zip(*steps, strict=True)
    return Earlier(ids[0], events, versions[-1], positions[-1])


class RecentPasts:
    """What was seen of the streams that were asked for last, of at most so many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pasts: OrderedDict[str, Past] = OrderedDict()

    def past(self, category: Category, stream: str) -> Past:
        """As it was last seen, perhaps old; one that nothing is known of is at ``NO_STREAM``."""
        past = self._pasts.pop(stream, None) or Past(category, stream)
        self._pasts[stream] = past
        while len(self._pasts) > self._most:
            self._pasts.popitem(last=False)
        return past
