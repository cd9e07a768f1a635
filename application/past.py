"""What a stream has led to, as far as it was read: state, version, and the commands carried out.

What was read of a stream cannot become wrong, only old: history does not change. So it may be kept
and read on from, and an append that expects its version finds out whether it is old.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from application.categories import Category
from application.messages import NewEvent
from application.ports import NO_STREAM, Appended, EventStore
from domain.decider import Event


@dataclass(frozen=True)
class Earlier:
    """What a command led to: the events, the first one's id, and where the last one stands."""

    first_id: UUID
    events: Sequence[Event]
    version: int
    position: int


class Past:
    """One stream. Reading on at once, twice, does no harm: each event is taken in once."""

    def __init__(self, category: Category, stream: str) -> None:
        self.category, self.stream, self.version = category, stream, NO_STREAM
        self.state: Any = category.decider.initial
        self._earlier: dict[UUID, Earlier] = {}

    async def read_on(self, store: EventStore) -> None:
        """Take in what has been appended since. Raises what the store raises."""
        async for recorded in store.read(self.stream, from_version=self.version + 1):
            if recorded.version == self.version + 1:
                command_id = recorded.metadata.command_id
                self._take_in(recorded.event, recorded.id, command_id, recorded.position)

    def appended(self, new: Sequence[NewEvent], events: Sequence[Event], at: Appended) -> None:
        """Take in what has just been appended, unless it has been read already."""
        if self.version != at.version - len(events):
            return
        for one, event in zip(new, events, strict=True):
            self._take_in(event, one.id, one.metadata.command_id, at.position)

    def of_command(self, command_id: UUID) -> Earlier | None:
        """What that command led to here; ``None`` if it has led to nothing."""
        return self._earlier.get(command_id)

    def _take_in(self, event: Event, id: UUID, command_id: UUID, position: int) -> None:
        self.version += 1
        self.state = self.category.decider.evolve(self.state, event)
        known = self._earlier.get(command_id)
        first_id, before = (known.first_id, known.events) if known else (id, ())
        self._earlier[command_id] = Earlier(first_id, (*before, event), self.version, position)


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
