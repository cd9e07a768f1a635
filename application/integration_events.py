"""Integration events: what a service publishes to other systems, and the form that it has there.

They are its public contract: smaller than the events of its domain, named and versioned on their
own. A pure function makes one of each domain event that others shall know of, or none.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict

from application.category import Category, split
from application.event_filter import EventFilter
from application.messages import RecordedEvent
from domain.decider import Event
from domain.speed import frozen

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


@dataclass(frozen=True)
class Kind:
    """The name of an integration event, ``order.shipped``, and the version of its form."""

    name: str
    version: int

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not an integration event: write it order.shipped")
        if self.version < 1:
            raise ValueError(f"{self.name} has the version {self.version}: versions count from 1")

    def __str__(self) -> str:
        return f"{self.name}.v{self.version}"


class IntegrationEvent(BaseModel):
    """A fact for other systems: ``class OrderShipped(IntegrationEvent, name="order.shipped")``.

    Its fields are a published form. A released one only gains fields with a default; any other
    change is a class of the next ``version``. A receiver ignores fields that it does not know.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True
    )

    kind: ClassVar[Kind]

    def to_json(self) -> bytes:
        return self.__pydantic_serializer__.to_json(self)

    def __init_subclass__(cls, *, name: str, version: int = 1, **options: Any) -> None:
        """Raises ``ValueError`` for a name or a version that cannot be one."""
        super().__init_subclass__(**options)
        cls.kind = Kind(name, version)


@frozen
class CloudEvent:
    """An event in the form of CloudEvents 1.0. ``source`` and ``id`` together are unique."""

    id: str
    type: str  # headwater.order.shipped.v1
    source: str  # a URI reference: /headwater/order
    subject: str | None  # the id of what it is about
    time: datetime | None
    data: bytes  # JSON
    dataschema: str | None = None  # a URI
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None
    actor: str | None = None  # who did it, as in the metadata of events
    on_behalf_of: str | None = None


@frozen
class Outgoing:
    """An event on its way to a topic. Events of one key keep their order."""

    topic: str
    key: str
    event: CloudEvent


Translate = Callable[[str, Any], IntegrationEvent | tuple[IntegrationEvent, ...] | None]
"""The id of an aggregate and an event of it → what others shall know of it; ``None``: nothing.

Several: versions of one fact, for as long as some consumers read only the older one.
"""


@dataclass(frozen=True)
class Publication:
    """What a service publishes of one category, to a topic of its own.

    ``ValueError`` for a domain event that the category does not have.
    """

    category: Category
    translations: Mapping[type[Event], Translate]
    publishes: tuple[type[IntegrationEvent], ...]  # all that these functions may return

    def __post_init__(self) -> None:
        self.category.only(*self.translations)  # which checks them

    @property
    def events(self) -> EventFilter:
        """The domain events that it needs."""
        return self.category.only(*self.translations)


class Undeclared(Exception):
    """A translation returned an integration event that its publication does not declare."""


@dataclass(frozen=True)
class Contract:
    """All that a service publishes."""

    service: str
    publications: tuple[Publication, ...]

    @cached_property
    def events(self) -> EventFilter:
        """The domain events that lead to integration events."""
        pairs = (one.events.pairs for one in self.publications)
        return EventFilter(frozenset().union(*pairs))

    @cached_property
    def topics(self) -> Sequence[str]:
        """The topics, in the order of the publications."""
        return [self.topic(one) for one in self.publications]

    def topic(self, publication: Publication) -> str:
        """``headwater.order``."""
        return f"{self.service}.{publication.category.name}"

    def source(self, publication: Publication) -> str:
        """The CloudEvents source: ``/headwater/order``."""
        return f"/{self.service}/{publication.category.name}"

    def event_type(self, event: type[IntegrationEvent]) -> str:
        """The CloudEvents type: ``headwater.order.shipped.v1``."""
        return f"{self.service}.{event.kind}"

    def dataschema(self, event: type[IntegrationEvent]) -> str:
        """A permanent name of the form of its data: ``urn:headwater:order.shipped:1``."""
        return f"urn:{self.service}:{event.kind.name}:{event.kind.version}"

    def outgoing(self, recorded: RecordedEvent) -> Sequence[Outgoing]:
        """What is published of this event, always the same; often one record, or none.

        Each has the id of the domain event, so a receiver recognises a repetition, also one in
        another version. Raises ``UnreadableEvent``, :class:`Undeclared`, and whatever the
        translation raises.
        """
        category, id = split(recorded.stream)
        publication, topic, source = self._by_category[category]
        _ = recorded.metadata  # first: the event needs a part of it, and takes it from there
        event = recorded.event
        made = publication.translations[type(event)](id, event)
        several = made if isinstance(made, tuple) else () if made is None else (made,)
        for one in several:
            if type(one) not in publication.publishes:
                raise Undeclared(f"{one.kind} is not among what {topic} publishes")
        return [Outgoing(topic, id, self._enveloped(one, source, id, recorded)) for one in several]

    @cached_property
    def _by_category(self) -> Mapping[str, tuple[Publication, str, str]]:
        """With topic and source."""
        return {
            one.category.name: (one, self.topic(one), self.source(one)) for one in self.publications
        }

    @cached_property
    def _names(self) -> Mapping[type[IntegrationEvent], tuple[str, str]]:
        """Type and ``dataschema`` of each integration event."""
        declared = (event for one in self.publications for event in one.publishes)
        return {event: (self.event_type(event), self.dataschema(event)) for event in declared}

    def _enveloped(
        self, made: IntegrationEvent, source: str, subject: str, recorded: RecordedEvent
    ) -> CloudEvent:
        metadata, (event_type, dataschema) = recorded.metadata, self._names[type(made)]
        return CloudEvent(
            id=str(recorded.id),
            type=event_type,
            source=source,
            subject=subject,
            time=metadata.occurred_at,
            data=made.to_json(),
            dataschema=dataschema,
            correlation_id=metadata.correlation_id,
            causation_id=metadata.causation_id,
            traceparent=metadata.traceparent,
            actor=metadata.actor,
            on_behalf_of=metadata.on_behalf_of,
        )
