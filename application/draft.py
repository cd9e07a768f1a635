"""What several commands for one stream lead to, decided one after the other before it is appended.

Each is decided on the state that those before it would leave. A refusal, or that there is nothing
to do, is as true as the state it was decided on: it is told at once where that was read after the
command had come, and after the append where it rests on events that are still to be appended. On
what was seen earlier, and may be old by now, only an append or the history itself can prove
anything: the rest is left to be decided anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final
from uuid import UUID

from application.catalogue import Catalogue
from application.category import Category
from application.identity import event_ids, is_first_of
from application.messages import Context, NewEvent
from application.past import Earlier, Past
from application.ports import Appended, EventStore
from application.turns import Waiting
from domain.decider import Command, Event

EVENTS: Final = 500  # in one append, unless one command leads to more
SIZE: Final = 500_000  # bytes of data in one append, likewise: stores take about twice as much


class StaleVersion(Exception):
    """The caller decided on an old version of the stream."""


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
class Asked:
    """One command for a stream."""

    category: Category
    command: Command
    context: Context
    expected_version: int | None
    new: bool


One = Waiting[Asked, CommandOutcome]


@dataclass(slots=True, eq=False)
class _Decided:
    """A command, and what is to be said once the draft is appended."""

    one: One
    events: Sequence[Event] = ()
    answer: CommandOutcome | Exception | None = None  # ``None``: what the history says then


class Draft:
    """Events that are to be appended to a past, and the commands whose answers depend on that."""

    def __init__(self, past: Past, catalogue: Catalogue, *, fresh: bool) -> None:
        """``fresh``: the past was read after all of the commands had come."""
        self.past, self.fresh, self._catalogue = past, fresh, catalogue
        self.new: list[NewEvent] = []
        self.events: list[Event] = []
        self.writers: list[One] = []  # those that lead to events, in order
        self._state, self._folded = past.state, 0  # of the events, so many are in the state
        self._size = 0
        self._decided: list[_Decided] = []
        self._first_ids: dict[UUID, UUID] = {}  # of the events of each command, by its id

    @property
    def full(self) -> bool:
        return len(self.new) >= EVENTS or self._size >= SIZE

    @property
    def waiting(self) -> Sequence[One]:
        """Those whose answers depend on the append, in order."""
        return [decided.one for decided in self._decided]

    @property
    def context(self) -> Context:
        """Of the last command that leads to events."""
        return self.writers[-1].wanted.context

    async def take(self, one: One, store: EventStore) -> None:
        """Decide the next command. Whatever goes wrong with it is its own answer."""
        try:
            await self._take(one, one.wanted, store)
        except Exception as refusal:  # whatever it is, no other command fails by it
            self._answer(one, refusal)

    async def _take(self, one: One, asked: Asked, store: EventStore) -> None:
        past, id = self.past, asked.context.command_id
        if earlier := await past.of_command(id, store):
            one.give(_repeated(asked, earlier.first_id, past.stream, earlier))
        elif id in self._first_ids:
            self._decided.append(_Decided(one))
        elif asked.expected_version not in (None, version := past.version + len(self.new)):
            wanted = asked.expected_version
            raise StaleVersion(f"{past.stream} is at version {version}, not at {wanted}")
        elif events := asked.category.decider.decide(asked.command, self._reached()):
            self._add(one, asked, tuple(events))
        else:
            self._answer(one, CommandOutcome(past.stream, version, None, ()))

    def _reached(self) -> Any:
        """The state that all events so far leave."""
        new = self.events[self._folded :]
        self._state = reduce(self.past.category.decider.evolve, new, self._state)
        self._folded = len(self.events)
        return self._state

    def _add(self, one: One, asked: Asked, events: Sequence[Event]) -> None:
        ids = event_ids(asked.context.command_id, asked.command, len(events))
        make = self._catalogue.new_event
        new = [make(event, id, asked.context) for event, id in zip(events, ids, strict=True)]
        self._size += sum(len(event.data) for event in new)
        self.new += new
        self.events += events
        self.writers.append(one)
        self._first_ids[asked.context.command_id] = ids[0]
        self._decided.append(_Decided(one, events))

    def _answer(self, one: One, answer: CommandOutcome | Exception) -> None:
        if self.fresh and self.new:
            self._decided.append(_Decided(one, answer=answer))
        elif self.fresh:
            one.give(answer)

    def answer(self, appended: Appended) -> None:
        """Answer those who waited, once the past has taken in what was appended."""
        for decided in self._decided:
            decided.one.give(decided.answer or self._led_to(decided, appended))

    def _led_to(self, decided: _Decided, appended: Appended) -> CommandOutcome | CommandIdReused:
        asked, at = decided.one.wanted, self._place(decided, appended)
        if decided.events:
            return CommandOutcome(self.past.stream, at.version, at.position, decided.events)
        first_id = self._first_ids[asked.context.command_id]
        return _repeated(asked, first_id, self.past.stream, at)

    def _place(self, decided: _Decided, appended: Appended) -> Earlier | Appended:
        """Where the last event of a command stands: that of the append, unless there are others."""
        if len(self._decided) == 1:
            return appended
        return self.past.carried_out(decided.one.wanted.context.command_id) or appended


def _repeated(
    asked: Asked, first_id: UUID, stream: str, earlier: Earlier | Appended
) -> CommandOutcome | CommandIdReused:
    """What to say of a command whose id has led to events before, the first one with that id."""
    id = asked.context.command_id
    if not is_first_of(first_id, id, asked.command):
        return CommandIdReused(f"command {id} was another one on {stream}")
    events = earlier.events if isinstance(earlier, Earlier) else ()
    return CommandOutcome(stream, earlier.version, earlier.position, events, repeated=True)
