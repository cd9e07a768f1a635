"""A service as a map: which commands, events, read models, sagas and reactions it has, and
which events each of them reads. All of it is declared; a map is never drawn by hand.

Which events a command leads to, and which commands a saga gives, is code: no map shows that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from application.category import Category
from application.event_filter import EventFilter
from application.integration_events import Publication  # only: bus
from application.projections.projection import Projection
from application.receiving.incoming import Incoming  # only: bus
from application.sagas.saga import Saga
from application.service import Service

ReaderKind = Literal[
    "saga",
    "reaction",
    "read model",
    "topic",  # only: bus
]


@dataclass(frozen=True)
class Lane:
    """One category: the commands of its aggregates, and their events."""

    category: str
    commands: tuple[str, ...]
    events: tuple[str, ...]


@dataclass(frozen=True)
class Reader:
    """What reads events: of some lanes all, of others single ones."""

    kind: ReaderKind
    name: str
    whole: tuple[str, ...] = ()
    """The categories that it reads as a whole."""
    single: tuple[tuple[str, str], ...] = ()
    """Category and type of the events that it reads besides."""
    parts: tuple[str, ...] = ()
    """What it does, in order: the steps of a saga, for example."""
    of_sagas: bool = False
    """Whether it reads what all sagas record."""


# only: bus
@dataclass(frozen=True)
class Source:
    """Another system whose integration events lead to commands."""

    publisher: str
    topics: tuple[str, ...]
    events: tuple[str, ...]


# end: bus
@dataclass(frozen=True)
class SystemMap:
    """A service as it is declared, in the order of its declaration."""

    service: str
    lanes: tuple[Lane, ...]
    readers: tuple[Reader, ...]
    sources: tuple[Source, ...] = ()  # only: bus

    def readers_of(self, category: str, event: str) -> Sequence[Reader]:
        """What reads that event."""
        return [
            one for one in self.readers if category in one.whole or (category, event) in one.single
        ]


def system_map(service: Service[Any]) -> SystemMap:
    """The map of a service. Of a saga and of a read model, it shows the newest version."""
    newest = [list(versions.values())[-1] for versions in service.versions.values()]
    models = {one.name: one for one in sorted(service.read_models, key=lambda one: one.version)}
    return SystemMap(
        service.name,
        tuple(map(_lane, service.categories)),
        (
            *(_saga(one, service.categories) for one in newest),
            *(
                Reader("reaction", one.name, *_read(one.events, service.categories))
                for one in service.reactions
            ),
            *(_read_model(models[name], service) for name in _in_order(service.read_models)),
            *(_topic(one, service) for one in service.publishes),  # only: bus
        ),
        tuple(map(_source, service.receives)),  # only: bus
    )


def _in_order(read_models: Iterable[Projection[Any]]) -> Sequence[str]:
    return list(dict.fromkeys(one.name for one in read_models))


# only: bus
def _source(incoming: Incoming) -> Source:
    return Source(incoming.publisher, incoming.topics, tuple(incoming.by_type))


# end: bus
def _lane(category: Category) -> Lane:
    return Lane(
        category.name,
        tuple(one.__name__ for one in category.commands),
        tuple(one.__name__ for one in category.events),
    )


def _saga(saga: Saga[Any], categories: Sequence[Category]) -> Reader:
    types = {saga.starts.__name__, saga.cancels.__name__, *saga.awaited}
    read = frozenset(
        (category.name, event.__name__)
        for category in categories
        for event in category.events
        if event.__name__ in types
    )
    steps = tuple(step.name for step in saga.steps)
    return Reader("saga", saga.name, *_read(EventFilter(read), categories), steps)


def _read_model(projection: Projection[Any], service: Service[Any]) -> Reader:
    whole, single = _read(projection.events, service.categories)
    return Reader("read model", projection.name, whole, single, of_sagas=not whole and not single)


# only: bus
def _topic(of: Publication, service: Service[Any]) -> Reader:
    made = tuple(str(event.kind) for event in of.publishes)
    return Reader("topic", service.contract.topic(of), *_read(of.events, service.categories), made)


# end: bus
def _read(
    events: EventFilter, categories: Sequence[Category]
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """What is read as a whole, and what is read besides, in the order of the declaration."""
    whole = tuple(one.name for one in categories if events.covers(one.own))
    single = tuple(
        (one.name, event.__name__)
        for one in categories
        if one.name not in whole
        for event in one.events
        if (one.name, event.__name__) in events.pairs
    )
    return whole, single
