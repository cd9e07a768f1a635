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

from application.category import Category
from application.event_filter import EventFilter
from application.messages import RecordedEvent
from domain.decider import Event

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

    def __init_subclass__(cls, *, name: str, version: int = 1, **options: Any) -> None:
        """Raises ``ValueError`` for a name or a version that cannot be one."""
        super().__init_subclass__(**options)
        cls.kind = Kind(name, version)


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Outgoing:
    """An event on its way to a topic. Events of one key keep their order."""

    topic: str
    key: str
    event: CloudEvent


Translate = Callable[[str, Any], IntegrationEvent | None]
"""The id of an aggregate and an event of it → what others shall know of it; ``None``: nothing."""


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

    def event_type(self, event: type[IntegrationEvent]) -> str:
        """The CloudEvents type: ``headwater.order.shipped.v1``."""
        return f"{self.service}.{event.kind}"

    def dataschema(self, event: type[IntegrationEvent]) -> str:
        """A permanent name of the form of its data: ``urn:headwater:order.shipped:1``."""
        return f"urn:{self.service}:{event.kind.name}:{event.kind.version}"

    def outgoing(self, recorded: RecordedEvent) -> Outgoing | None:
        """What is published of this event, always the same; ``None``: nothing.

        It has the id of the domain event, so a receiver recognises a repetition. Raises
        ``UnreadableEvent``, :class:`Undeclared`, and whatever the translation raises.
        """
        publication = self._by_category[recorded.stream.partition("-")[0]]
        event = recorded.event
        made = publication.translations[type(event)](recorded.stream_id, event)
        if made is None:
            return None
        if type(made) not in publication.publishes:
            raise Undeclared(f"{made.kind} is not among what {self.topic(publication)} publishes")
        return Outgoing(
            self.topic(publication),
            recorded.stream_id,
            self._enveloped(made, publication.category.name, recorded),
        )

    @cached_property
    def _by_category(self) -> Mapping[str, Publication]:
        return {one.category.name: one for one in self.publications}

    def _enveloped(
        self, made: IntegrationEvent, category: str, recorded: RecordedEvent
    ) -> CloudEvent:
        metadata = recorded.metadata
        return CloudEvent(
            id=str(recorded.id),
            type=self.event_type(type(made)),
            source=f"/{self.service}/{category}",
            subject=recorded.stream_id,
            time=metadata.occurred_at,
            data=made.model_dump_json().encode(),
            dataschema=self.dataschema(type(made)),
            correlation_id=metadata.correlation_id,
            causation_id=metadata.causation_id,
            traceparent=metadata.traceparent,
        )
