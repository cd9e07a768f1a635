"""All categories of a service: the one for each command, and the decoding of events.

An event type is at version 1 until its form changes. Each change adds one pure upcaster under the
version that it lifts, so a version without an upcaster is refused. A golden corpus keeps real bytes
of every type and version (``tests/contracts/golden_corpus.py``).
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from application.category import Category
from application.event_filter import EventFilter
from application.messages import Context, NewEvent, Opener, UnreadableEvent
from domain.decider import Command, Event

Json = dict[str, Any]
Upcaster = Callable[[Json], Json]
Upcasters = Mapping[type[Event], Mapping[int, Upcaster]]
"""By event and by the version that is lifted to the next: ``{OrderPlaced: {1: in_pounds}}``."""

NO_UPCASTERS: Final[Upcasters] = MappingProxyType({})


class Catalogue:
    """The categories of one service.

    ``ValueError`` for two categories, two events or two commands of one name, for upcasters of an
    event that is in no category, and for upcasters with a gap. The message names them.
    """

    def __init__(self, categories: Iterable[Category], upcasters: Upcasters = NO_UPCASTERS) -> None:
        self.categories = tuple(categories)
        self.personal: Opener | None = None
        self.upcasters = upcasters
        events = dict.fromkeys(event for category in self.categories for event in category.events)
        commands = [command for category in self.categories for command in category.commands]
        _refuse_doubles("categories are", [category.name for category in self.categories])
        _refuse_doubles("events are", [event.__name__ for event in events])
        _refuse_doubles("commands are", [command.__name__ for command in commands])
        self.names = frozenset(category.name for category in self.categories)
        self.events: Mapping[str, type[Event]] = {event.__name__: event for event in events}
        self.by_command: Mapping[type[Command], Category] = {
            command: category for category in self.categories for command in category.commands
        }
        self.own = EventFilter(frozenset(chain.from_iterable(c.own.pairs for c in self.categories)))
        """Every event of the service, in its category."""
        self._chains = {event.__name__: _chain(event, upcasters, events) for event in upcasters}
        self._readers = dict(chain.from_iterable(map(self._readers_of, events)))

    def opening(self, personal: Opener | None) -> "Catalogue":
        """The same catalogue, whose events are opened by this before they are decoded."""
        other = copy(self)
        other.personal = personal
        return other

    def current_version(self, type: str) -> int:
        """The schema version that is written today for events of that type."""
        return 1 + len(self._chains.get(type, ()))

    def new_event(self, event: Event, id: UUID, context: Context) -> NewEvent:
        """The event in its current version, ready to be appended."""
        type = event.__class__.__name__
        data = event.model_dump_json().encode()  # defaults are written, too
        return NewEvent(id, type, data, context.metadata(self.current_version(type)))

    def decode(self, type: str, schema_version: int, data: bytes) -> Event:
        """The event that these bytes hold, lifted to today's version.

        Raises :class:`UnreadableEvent` for an unknown type, a version from the future, or bytes
        that are not such an event.
        """
        read = self._readers.get((type, schema_version))
        if read is None:
            raise UnreadableEvent(self._unknown(type, schema_version))
        try:
            return read(data)
        except (ValidationError, ValueError, KeyError, TypeError) as error:
            wrong = f"these bytes are no {type} v{schema_version}: {error}"
            raise UnreadableEvent(wrong) from error

    def _readers_of(
        self, event: type[Event]
    ) -> Iterator[tuple[tuple[str, int], Callable[[bytes], Event]]]:
        """What reads each version of a type."""
        type, read = event.__name__, TypeAdapter(event).validator.validate_json
        upcasters = self._chains.get(type, ())
        for old in range(len(upcasters)):
            yield (type, 1 + old), partial(_climb, read, upcasters[old:])
        yield (type, 1 + len(upcasters)), read

    def _unknown(self, type: str, schema_version: int) -> str:
        if type not in self.events:
            return f"no event type is named {type!r}"
        return (
            f"{type} is known up to version {self.current_version(type)}, "
            f"this one is version {schema_version}: a newer release wrote it"
        )


def _refuse_doubles(what: str, names: Sequence[str]) -> None:
    if doubles := sorted(name for name, count in Counter(names).items() if count > 1):
        raise ValueError(f"two {what} called {', '.join(doubles)}: give one another name")


def _chain(
    event: type[Event], upcasters: Upcasters, known: Iterable[type[Event]]
) -> Sequence[Upcaster]:
    """The upcasters of an event, from version 1 on, without a gap."""
    if event not in known:
        raise ValueError(f"there are upcasters for {event.__name__}, which is in no category")
    steps = upcasters[event]
    for version in range(1, len(steps) + 1):
        if version not in steps:
            raise ValueError(f"{event.__name__} lacks the upcaster from version {version}")
    return [steps[version] for version in sorted(steps)]


def _climb(read: Callable[[bytes], Event], upcasters: Sequence[Upcaster], data: bytes) -> Event:
    document = json.loads(data, parse_float=str)  # a decimal must not pass through a float
    for upcast in upcasters:
        document = upcast(document)
    return read(json.dumps(document).encode())
