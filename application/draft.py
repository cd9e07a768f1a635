"""The events of several commands for one stream, decided in order before they are appended.

Each command is decided on the state that the ones before it leave. A refusal, or an outcome without
events, is only as true as that state. It is answered at once if the stream was read after the
command had come and no new events precede it; otherwise after the append. If the stream was read
earlier, it may be old: then only a successful append proves the state, and commands without events
are left to be decided again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final
from uuid import UUID

from application.catalogue import Catalogue
from application.category import Category
from application.identity import event_ids, is_first_of
from application.loaded_stream import Earlier, LoadedStream
from application.messages import Context, NewEvent
from application.ports import Appended, EventStore
from application.turns import Waiting
from domain.decider import Command, Event

EVENTS: Final = 500  # in one append, unless one command has more
SIZE: Final = 500_000  # bytes of data in one append, likewise: stores accept about twice as much


class StaleVersion(Exception):
    """The stream does not have the expected version."""


class CommandIdReused(Exception):
    """A command with this id and another content has been carried out before."""


@dataclass(frozen=True)
class CommandOutcome:
    """What a command led to. ``position`` is ``None`` when it led to no event."""

    stream: str
    version: int
    position: int | None
    events: Sequence[Event]
    repeated: bool = False


@dataclass(slots=True, eq=False)
class PendingCommand:
    """One command for a stream, which is not carried out yet."""

    category: Category
    command: Command
    context: Context
    expected_version: int | None
    new: bool


Caller = Waiting[PendingCommand, CommandOutcome]


@dataclass(slots=True, eq=False)
class _Decided:
    """A command, and its answer once the draft is appended."""

    one: Caller
    events: Sequence[Event] = ()
    answer: CommandOutcome | Exception | None = None  # ``None``: its events, as appended


class Draft:
    """Events to append to a stream, and the commands whose answers depend on the append."""

    def __init__(self, loaded: LoadedStream, catalogue: Catalogue, *, fresh: bool) -> None:
        """``fresh``: the stream was read after all of the commands had come."""
        self.loaded, self.fresh, self._catalogue = loaded, fresh, catalogue
        self.new: list[NewEvent] = []
        self.events: list[Event] = []
        self.writers: list[Caller] = []  # of commands that have events, in order
        self._state, self._folded = loaded.state, 0  # the number of events in the state
        self._size = 0
        self._decided: list[_Decided] = []
        self._first_ids: dict[UUID, UUID] = {}  # of the events of each command, by its id

    @property
    def full(self) -> bool:
        return len(self.new) >= EVENTS or self._size >= SIZE

    @property
    def waiting(self) -> Sequence[Caller]:
        """The callers whose answers depend on the append, in order."""
        return [decided.one for decided in self._decided]

    @property
    def context(self) -> Context:
        """Of the last command that has events."""
        return self.writers[-1].wanted.context

    async def take(self, one: Caller, store: EventStore) -> None:
        """Decide the next command. An error is the answer to this command only."""
        try:
            await self._take(one, one.wanted, store)
        except Exception as refusal:  # whatever it is: the other commands go on
            self._answer(one, refusal)

    async def _take(self, one: Caller, pending: PendingCommand, store: EventStore) -> None:
        loaded, id = self.loaded, pending.context.command_id
        if earlier := await loaded.of_command(id, store):
            one.give(_repeated(pending, earlier.first_id, loaded.stream, earlier))
        elif id in self._first_ids:
            self._decided.append(_Decided(one))
        elif pending.expected_version not in (None, version := loaded.version + len(self.new)):
            wanted = pending.expected_version
            raise StaleVersion(f"{loaded.stream} is at version {version}, not at {wanted}")
        elif events := pending.category.decider.decide(pending.command, self._reached()):
            self._add(one, pending, tuple(events))
        else:
            self._answer(one, CommandOutcome(loaded.stream, version, None, ()))

    def _reached(self) -> Any:
        """The state after all events so far."""
        new = self.events[self._folded :]
        self._state = reduce(self.loaded.category.decider.evolve, new, self._state)
        self._folded = len(self.events)
        return self._state

    def _add(self, one: Caller, pending: PendingCommand, events: Sequence[Event]) -> None:
        ids = event_ids(pending.context.command_id, pending.command, len(events))
        make = self._catalogue.new_event
        new = [make(event, id, pending.context) for event, id in zip(events, ids, strict=True)]
        self._size += sum(len(event.data) for event in new)
        self.new += new
        self.events += events
        self.writers.append(one)
        self._first_ids[pending.context.command_id] = ids[0]
        self._decided.append(_Decided(one, events))

    def _answer(self, one: Caller, answer: CommandOutcome | Exception) -> None:
        if self.fresh and self.new:
            self._decided.append(_Decided(one, answer=answer))
        elif self.fresh:
            one.give(answer)

    def answer(self, appended: Appended) -> None:
        """Answer the callers, once ``loaded`` has the appended events."""
        for decided in self._decided:
            decided.one.give(decided.answer or self._led_to(decided, appended))

    def _led_to(self, decided: _Decided, appended: Appended) -> CommandOutcome | CommandIdReused:
        pending, at = decided.one.wanted, self._place(decided, appended)
        if decided.events:
            return CommandOutcome(self.loaded.stream, at.version, at.position, decided.events)
        first_id = self._first_ids[pending.context.command_id]
        return _repeated(pending, first_id, self.loaded.stream, at)

    def _place(self, decided: _Decided, appended: Appended) -> Earlier | Appended:
        """The version and position of the last event of a command."""
        if len(self._decided) == 1:
            return appended
        return self.loaded.carried_out(decided.one.wanted.context.command_id) or appended


def _repeated(
    pending: PendingCommand, first_id: UUID, stream: str, earlier: Earlier | Appended
) -> CommandOutcome | CommandIdReused:
    """The answer to a command whose id has events already, the first of them ``first_id``."""
    id = pending.context.command_id
    if not is_first_of(first_id, id, pending.command):
        return CommandIdReused(f"command {id} had another content on {stream}")
    events = earlier.events if isinstance(earlier, Earlier) else ()
    return CommandOutcome(stream, earlier.version, earlier.position, events, repeated=True)
