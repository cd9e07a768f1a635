"""A service is one value, declared on one page and handed in. All else follows from it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Generic

from pydantic import BaseModel

from application import own_events
from application.access import ADMINISTRATIVE, Role
from application.catalogue import NO_UPCASTERS, Catalogue, Upcasters
from application.category import Category
from application.integration_events import Contract, Publication  # only: bus
from application.personal.declared import Declared, declared
from application.projections.projection import Projection
from application.reactions import O, Reaction
from application.receiving.incoming import Incoming  # only: bus
from application.sagas.events import SagaStarted
from application.sagas.performing import CallPerformer
from application.sagas.saga import Saga
from application.sagas.standings import SagaStanding, standings_of


class InvalidService(ValueError):
    """A declaration contradicts itself; the message says where."""


def no_calls(_: Any) -> Sequence[CallPerformer[Any]]:
    """For a service without calls to the outside."""
    return ()


@dataclass(frozen=True)
class Service(Generic[O]):
    """Everything that a service declares. ``O`` is the type of its own outside ports.

    Raises :class:`InvalidService` for two things of one name, for a category that is read but
    not declared, for personal data that cannot be kept as it is declared, and for a gap in
    upcasters or in the versions of a saga.
    """

    name: str
    categories: tuple[Category, ...]
    projections: tuple[Projection[Any], ...] = ()  # of a read model also the versions before
    sagas: tuple[Saga[Any], ...] = ()  # every version that was ever released, oldest first
    reactions: tuple[Reaction[O], ...] = ()
    outside_calls: Callable[[O], Sequence[CallPerformer[Any]]] = no_calls
    upcasters: Upcasters = field(default_factory=lambda: NO_UPCASTERS)
    roles: tuple[Role, ...] = ()
    """The roles of callers, besides those that every service has."""
    publishes: tuple[Publication, ...] = ()  # only: bus
    receives: tuple[Incoming, ...] = ()  # only: bus

    def __post_init__(self) -> None:
        try:
            own = self.catalogue.own.pairs
            _refuse_doubles("read model", ((one.name, one.version) for one in self.read_models))
            _refuse_doubles("consumer group", self.groups)
            # only: bus
            _refuse_doubles("publication", (one.category.name for one in self.publishes))
            made = (event.kind for one in self.publishes for event in one.publishes)
            _refuse_doubles("integration event", made)
            # end: bus
            self.personal  # noqa: B018 - refuses what is declared wrongly
            _refuse_doubles("role", (role.name for role in (*ADMINISTRATIVE, *self.roles)))
        except ValueError as error:
            raise InvalidService(f"{self.name}: {error}") from error
        reads = [(one.name, one.events) for one in self.projections]
        reads += [(one.name, one.events) for one in self.reactions]
        # only: bus
        reads += [(f"publication of {one.category.name}", one.events) for one in self.publishes]
        for incoming in self.receives:
            if incoming.publisher == self.name:
                self._refuse("it receives from itself: a reaction follows its own events")
        # end: bus
        for name, events in reads:
            if strange := events.pairs - own:
                self._refuse(f"{name} reads {_listed(strange)}: declare that category")
        for name, versions in self.versions.items():
            if list(versions) != list(range(1, len(versions) + 1)):
                self._refuse(f"saga {name} has the versions {list(versions)}: declare each, from 1")

    @cached_property
    def versions(self) -> Mapping[str, Mapping[int, Saga[Any]]]:
        """The sagas by name and by version, oldest first."""
        found: dict[str, dict[int, Saga[Any]]] = {}
        for saga in self.sagas:
            if saga.version in found.setdefault(saga.name, {}):
                self._refuse(f"two sagas are called {saga.name}, version {saga.version}")
            found[saga.name][saga.version] = saga
        return MappingProxyType(found)

    @cached_property
    def catalogue(self) -> Catalogue:
        """All its categories, with those that the kit keeps for it."""
        kept = own_events.own_categories(self.versions)
        upcasters = {**own_events.UPCASTERS, **self.upcasters}
        return Catalogue((*self.categories, *kept), upcasters)

    @cached_property
    def personal(self) -> frozenset[str]:
        """The names of the fields of its events that hold personal data, or name whom it is of."""
        return frozenset().union(*(one.names for one in self.of_persons.values()))

    @cached_property
    def encrypted(self) -> Mapping[tuple[str, str], Declared]:
        """What holds personal data in the events of the service, by their categories and types.

        Also in those that the kit keeps for it: facts of sagas, and snapshots.
        """
        found = {kind: one for kind, one in self.of_persons.items() if one.fields}
        return {**found, **own_events.personal()} if found else {}

    @cached_property
    def of_persons(self) -> Mapping[tuple[str, str], Declared]:
        """By category and type: each that has personal data, or names a person."""
        found = {
            (category.name, event.__name__): declared(event)
            for category in self.categories
            for event in category.events
        }
        for name, versions in self.versions.items():
            *_, newest = versions.values()  # no saga starts by an older one
            facts: type[BaseModel] = newest.facts
            in_facts = declared(facts)
            found[name, SagaStarted.__name__] = in_facts.under("facts") if in_facts else None
        return {kind: one for kind, one in found.items() if one}

    @cached_property
    def _standings(self) -> tuple[Projection[SagaStanding], ...]:
        return standings_of(self.sagas)

    @property
    def standings(self) -> Projection[SagaStanding]:
        """The read model of its sagas."""
        return self._standings[0]

    @cached_property
    def read_models(self) -> tuple[Projection[Any], ...]:
        """All projections: those that are declared, and that of the sagas."""
        return (*self.projections, *self._standings) if self.sagas else self.projections

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """Its consumer groups, each of which can park events."""
        return (
            *(reaction.name for reaction in self.reactions),
            *self.versions,
            *(incoming.publisher for incoming in self.receives),  # only: bus
        )

    # only: bus
    @cached_property
    def contract(self) -> Contract:
        """What it publishes."""
        return Contract(self.name, self.publishes)

    # end: bus
    def _refuse(self, why: str) -> None:
        raise InvalidService(f"{self.name}: {why}")


def _refuse_doubles(what: str, names: Iterable[object]) -> None:
    if doubles := [str(name) for name, count in Counter(names).items() if count > 1]:
        raise ValueError(f"two of one name as {what}: {', '.join(sorted(doubles))}")


def _listed(pairs: Iterable[tuple[str, str]]) -> str:
    return ", ".join(sorted(f"{type} in {category}" for category, type in pairs))
