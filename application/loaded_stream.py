"""A stream as far as it was read: its state, its version, and the commands carried out on it.

Stored events do not change, so what was read can be old but not wrong, and may be kept: an append
at its version fails if it is old. The exception is a restored older backup, which the next read
detects. A loaded stream may begin with a snapshot. Of the commands before that, it first knows only
a short trace of each id.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from application.category import Category
from application.messages import NewEvent, RecordedEvent
from application.personal.sealing import draft_of
from application.ports import NO_STREAM, Appended, EventStore
from application.snapshots import Snapshot, Traces
from domain.decider import Event


@dataclass(frozen=True)
class Earlier:
    """The events of a command: the first one's id, and the last one's version and position."""

    first_id: UUID
    events: Sequence[Event]
    version: int
    position: int


@dataclass(frozen=True)
class KnownSnapshots:
    """The stream of a stream's snapshots: its version, and the version that the last one is of."""

    version: int = NO_STREAM
    at: int = NO_STREAM


_Step = tuple[UUID, Event, int, int]
"""One event of a command: its id, itself, its version, its position."""


class LoadedStream:
    """One stream. Concurrent reads are safe: each event is applied once."""

    def __init__(self, category: Category, stream: str) -> None:
        self.category, self.stream = category, stream
        self._begin()

    def _begin(self) -> None:
        """Reset: nothing is known."""
        self.version = NO_STREAM
        self.state: Any = self.category.decider.initial
        self.kept = KnownSnapshots()
        self._last_id: UUID | None = None
        self._carried_out: dict[UUID, list[_Step]] = {}
        self._traces, self._traced = Traces(), NO_STREAM  # of the commands up to that version
        self._subjects: frozenset[str] = frozenset()  # of the events up to that version
        self._subjects_at = NO_STREAM

    async def read_on(self, store: EventStore) -> None:
        """Apply the events appended since. Raises what the store raises.

        If the last known event is not in the stream, an older log was restored: it starts anew.
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
        """Apply a snapshot and the events after it. Raises what the store raises.

        Returns ``False`` if the stream does not hold the event that the snapshot names.
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
        """Apply events that have just been appended, unless they have been read already."""
        if self.version != at.version - len(events):
            return
        for one, event in zip(new, events, strict=True):
            self._take_in(event, one.id, one.metadata.command_id, at.position)

    async def of_command(self, command_id: UUID, store: EventStore) -> Earlier | None:
        """The events of that command in this stream; ``None`` if it has none.

        Reads the events before the snapshot if the command has left a trace there.
        """
        while command_id not in self._carried_out and command_id in self._traces:
            await self._recall(store)
        return self.carried_out(command_id)

    def carried_out(self, command_id: UUID) -> Earlier | None:
        """The same, without reading."""
        return _earlier(self._carried_out.get(command_id))

    def snapshot(self) -> Snapshot:
        """The stream as a snapshot. It must have an event."""
        assert self._last_id is not None
        commands = self._traces.with_commands(self._carried_out)
        return Snapshot(self.version, self._last_id, self.state, commands, self._whose())

    def _whose(self) -> frozenset[str]:
        """The persons whose data may be in the state: not those whose events were masked."""
        new = [
            event
            for steps in self._carried_out.values()
            for _, event, version, _ in steps
            if version > self._subjects_at
        ]
        drafts = [draft for one in new if (draft := draft_of(one, self.stream))]
        self._subjects = self._subjects.union(*(draft.subjects for draft in drafts))
        self._subjects_at = self.version
        return self._subjects

    def _start_from(self, snapshot: Snapshot) -> None:
        self.version, self.state = snapshot.version, snapshot.state
        self._last_id, self._carried_out = snapshot.event_id, {}
        self._traces, self._traced = snapshot.commands, snapshot.version
        self._subjects, self._subjects_at = snapshot.subjects, snapshot.version
        self.kept = replace(self.kept, at=snapshot.version)

    async def _recall(self, store: EventStore) -> None:
        before, until = LoadedStream(self.category, self.stream), self._traced
        async for recorded in store.read(self.stream, limit=until + 1):
            before._read(recorded)
        if self._traced == until:  # no other task has done so meanwhile
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


class RecentStreams:
    """The streams that were used last, at most ``most`` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._streams: OrderedDict[str, LoadedStream] = OrderedDict()

    def loaded(self, category: Category, stream: str) -> LoadedStream:
        """The stream as it was last read, perhaps old; at ``NO_STREAM`` if nothing is known."""
        loaded = self._streams.pop(stream, None) or LoadedStream(category, stream)
        self._streams[stream] = loaded
        while len(self._streams) > self._most:
            self._streams.popitem(last=False)
        return loaded
