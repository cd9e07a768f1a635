"""Events with their metadata: new ones, and recorded ones."""

import json
from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from typing import Final, Protocol, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from application.category import split
from application.identity import uuid5
from domain.decider import Event
from domain.speed import frozen, once, replace


class UnreadableEvent(Exception):
    """This release cannot read a stored event. The message names it, its stream and the reason."""


class Opener(Protocol):
    """Reads what is encrypted in stored events: the personal data of a service."""

    async def opened(self, events: "Sequence[RecordedEvent]") -> "Sequence[RecordedEvent]":
        """The events with their personal data, or with masks in its place.

        Raises ``StoreUnavailable`` while the keys cannot be had.
        """
        ...


class Decoder(Protocol):
    """Decodes stored events: the catalogue of a service."""

    @property
    def personal(self) -> Opener | None:
        """What opens events before they are decoded; ``None``: none of them has to be opened."""
        ...

    def decode(self, type: str, schema_version: int, data: bytes) -> Event:
        """Raises :class:`UnreadableEvent`."""
        ...


class Metadata(BaseModel):
    """The metadata of an event. Names with a ``$`` are those that tools of event stores know."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    correlation_id: str = Field(alias="$correlationId")  # the same for all that one request led to
    causation_id: str = Field(alias="$causationId")  # the command or event that led directly to it
    command_id: UUID
    schema_version: int = Field(ge=1)
    actor: str
    occurred_at: AwareDatetime
    traceparent: str | None = None
    saga_id: str | None = None  # of the saga or choreographed flow that it is a step of
    on_behalf_of: str | None = None  # the actor who set it off, where a machine is the actor

    @property
    def principal(self) -> str:
        """The actor who set it off. What a machine derives from this event is on their behalf."""
        return self.on_behalf_of or self.actor

    def to_json(self) -> bytes:
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


class _Essentials(BaseModel):
    """The part of the metadata that is needed to read an event and to fold it."""

    command_id: UUID
    schema_version: int = Field(ge=1)
    occurred_at: AwareDatetime


_NOT_OURS: Final = "its metadata lacks what each event of this service has"
_read_essentials: Final = TypeAdapter(_Essentials).validator.validate_json


@frozen
class Context:
    """The origin of a command: id, actor, time and cause. A repeated command has the same."""

    command_id: UUID
    correlation_id: str
    causation_id: str
    actor: str
    occurred_at: datetime
    traceparent: str | None = None
    saga_id: str | None = None
    on_behalf_of: str | None = None

    @classmethod
    def start(
        cls,
        actor: str,
        command_id: UUID,
        occurred_at: datetime,
        *,
        correlation_id: str | None = None,
        traceparent: str | None = None,
    ) -> Self:
        """The context of a command from outside; a new correlation id unless one is given."""
        return cls(
            command_id=command_id,
            correlation_id=correlation_id or str(command_id),
            causation_id=str(command_id),
            actor=actor,
            occurred_at=occurred_at,
            traceparent=traceparent,
        )

    def metadata(self, schema_version: int) -> Metadata:
        """The metadata of an event that follows from this command."""
        return Metadata(
            correlation_id=self.correlation_id,
            causation_id=self.causation_id,
            command_id=self.command_id,
            schema_version=schema_version,
            actor=self.actor,
            occurred_at=self.occurred_at,
            traceparent=self.traceparent,
            saga_id=self.saga_id,
            on_behalf_of=self.on_behalf_of,
        )


@frozen
class NewEvent:
    """An event on its way into a stream. The store keeps ``data`` and ``metadata``, as JSON."""

    id: UUID
    type: str
    data: bytes
    metadata: Metadata


@frozen
class RecordedEvent:
    """An event as the store holds it, for good.

    ``version`` counts in the stream from 0; ``position`` orders all events of the store and has
    gaps. ``event`` and ``metadata`` are decoded on first access, the event by ``decoder``. A store
    may keep ``stored_command_id`` and ``stored_schema_version`` beside the metadata, which is then
    not decoded for them.
    """

    id: UUID
    type: str
    data: bytes
    metadata_json: bytes
    stream: str
    version: int
    position: int
    recorded_at: datetime
    decoder: Decoder = field(repr=False, compare=False)
    stored_command_id: UUID | None = field(default=None, repr=False, compare=False)
    stored_schema_version: int | None = field(default=None, repr=False, compare=False)

    @once
    def metadata(self) -> Metadata:
        """Raises :class:`UnreadableEvent`: another system wrote it."""
        try:
            return Metadata.model_validate_json(self.metadata_json)
        except ValidationError as error:
            raise self._unreadable(_NOT_OURS) from error

    @once
    def event(self) -> Event:
        """The event, lifted to today's version.

        Raises :class:`UnreadableEvent`.
        """
        version = self.schema_version
        try:
            return self.decoder.decode(self.type, version, self.data)
        except UnreadableEvent as error:
            raise self._unreadable(error) from error

    @once
    def command_id(self) -> UUID:
        """The id of its command. Raises as ``metadata``, of which it decodes only a part."""
        return self.stored_command_id or self._essentials().command_id

    @once
    def schema_version(self) -> int:
        """The version of its data. Raises as ``metadata``, of which it decodes only a part."""
        return self.stored_schema_version or self._essentials().schema_version

    @once
    def occurred_at(self) -> datetime:
        """When it happened. Raises as ``metadata``, of which it decodes only a part."""
        return self._essentials().occurred_at

    @once
    def correlation_id(self) -> str | None:
        """Its correlation id; ``None`` where another system wrote it without one."""
        return _text_in(self.metadata_json, "$correlationId")

    @once
    def causation_id(self) -> str | None:
        """The id of what led directly to it; ``None`` as above."""
        return _text_in(self.metadata_json, "$causationId")

    def _essentials(self) -> _Essentials | Metadata:
        read: Metadata | None = self.__dict__.get("metadata")  # then it need not be read again
        try:
            known = read or _read_essentials(self.metadata_json)
        except ValidationError as error:
            raise self._unreadable(_NOT_OURS) from error
        self.__dict__.update(
            command_id=known.command_id,
            schema_version=known.schema_version,
            occurred_at=known.occurred_at,
        )
        return known

    def _unreadable(self, why: object) -> UnreadableEvent:
        return UnreadableEvent(
            f"{self.type} at {self.stream}@{self.version} (position {self.position}) cannot be "
            f"read: {why}"
        )

    @property
    def stream_id(self) -> str:
        """The id within the category: ``"536365"`` of ``"order-536365"``."""
        return split(self.stream)[1]

    def with_data(self, data: bytes) -> "RecordedEvent":
        """The same with other data; what was decoded of its metadata is kept."""
        other = replace(self, data=data)
        other.__dict__.pop("event", None)
        return other

    def caused(self, actor: str, occurred_at: datetime) -> Context:
        """The context of the command that ``actor`` derives from this event, always the same.

        It acts on behalf of the principal of this event.
        """
        return Context(
            command_id=uuid5(self.id, actor),
            correlation_id=self.metadata.correlation_id,
            causation_id=str(self.id),
            actor=actor,
            occurred_at=occurred_at,
            traceparent=self.metadata.traceparent,
            saga_id=self.metadata.saga_id,
            on_behalf_of=self.metadata.principal,
        )


def _text_in(document: bytes, name: str) -> str | None:
    """A text of a JSON object; ``None`` for anything else: other systems write what they like."""
    try:
        found = json.loads(document)
    except ValueError:
        return None
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, str) else None
