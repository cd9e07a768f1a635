"""Turns one record into commands, and carries them out."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from pydantic import ValidationError

from application.command_dispatch import CommandDispatch
from application.integration_events import CloudEvent
from application.messages import Context
from application.ports import BusRecord
from application.receiving import cloud_events
from application.receiving.cloud_events import NotACloudEvent
from application.receiving.events import command_id, record_id, stream_of
from application.receiving.incoming import Incoming
from application.receiving.shelf import Shelf
from domain.decider import Command

Opens = Callable[[CloudEvent], Awaitable[CloudEvent]]


async def as_it_is(event: CloudEvent) -> CloudEvent:
    """For a service without keys: what is encrypted reads as its mask."""
    return event


class Outcome(StrEnum):
    """What came of a record."""

    HANDLED = "handled"
    PARKED = "parked"
    KNOWN = "known"  # it is parked or discarded already
    UNKNOWN_TYPE = "unknown type"
    NEWER_VERSION = "newer version"
    TOMBSTONE = "tombstone"


class InvalidData(Exception):
    """The data of an event does not have the form that is declared."""


@dataclass(frozen=True)
class ReadRecord:
    """A record with the event in it, or with the reason that it has none."""

    record: BusRecord
    stream: str
    """In which it is set aside: the same for all records of its key."""
    id: UUID
    """Of the event that sets it aside: the same when the event comes again."""
    event: CloudEvent | None
    wrong: NotACloudEvent | None = None


@dataclass(frozen=True)
class Handling:
    """Repeating anything here changes nothing."""

    incoming: Incoming
    dispatch: CommandDispatch
    shelf: Shelf
    clock: Callable[[], datetime]
    opened: Opens = as_it_is
    """Opens what is personal in an event."""

    def read(self, record: BusRecord) -> ReadRecord:
        """The record, read as far as it can be."""
        stream = stream_of(self.incoming.publisher, record)
        try:
            event = cloud_events.read(record)
        except NotACloudEvent as wrong:
            return ReadRecord(record, stream, record_id(record), None, wrong)
        return ReadRecord(record, stream, uuid5(_command_id(event), "kept"), event)

    def ignored(self, read: ReadRecord) -> Outcome | None:
        """Why there is nothing to do for this record, if that is so."""
        if cloud_events.is_tombstone(read.record):
            return Outcome.TOMBSTONE
        if read.event is None or read.event.type in self.incoming.by_type:
            return None
        newer = self.incoming.is_newer(read.event.type)
        return Outcome.NEWER_VERSION if newer else Outcome.UNKNOWN_TYPE

    async def carry_out(self, read: ReadRecord) -> None:
        """Dispatch the commands that follow from a record.

        Raises :class:`NotACloudEvent`, :class:`InvalidData`, and what the handler, the domain and
        the store raise.
        """
        if read.event is None:
            raise read.wrong or NotACloudEvent("it has no event")
        event = read.event
        if await self.shelf.led_to_nothing(event):
            return
        event = await self.opened(event)
        commands, context, acted = self._commands(event), self._context(event), True
        for number, (id, command) in enumerate(commands):
            own = uuid5(context.command_id, str(number)) if number else context.command_id
            outcome = await self.dispatch(id, command, replace(context, command_id=own))
            acted = acted and outcome.position is not None
        if not acted:  # no event of ours would recognise the command when it comes again
            await self.shelf.note(event)

    def _commands(self, event: CloudEvent) -> Sequence[tuple[str, Command]]:
        if (model := self.incoming.by_type.get(event.type)) is None:
            raise InvalidData(f"{event.type} is not received: declare what it leads to")
        try:
            data = model.model_validate_json(event.data)
        except ValidationError as error:
            raise InvalidData(_in_one_line(error)) from error
        return [*self.incoming.handlers[model](data)]

    def _context(self, event: CloudEvent) -> Context:
        """Of the first command: the correlation goes on, and the event is the cause.

        The publisher is the actor, on behalf of the actor that the event names.
        """
        id = _command_id(event)
        return Context(
            command_id=id,
            correlation_id=event.correlation_id or str(id),
            causation_id=event.id,
            actor=self.incoming.publisher,
            occurred_at=self.clock(),
            traceparent=event.traceparent,
            on_behalf_of=event.on_behalf_of or event.actor,
        )


def _command_id(event: CloudEvent) -> UUID:
    return command_id(event.source, event.id)


def _in_one_line(error: ValidationError) -> str:
    found = (f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}" for one in error.errors())
    return "; ".join(found)
