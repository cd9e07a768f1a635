"""What a receiver records of what it receives, in streams of the event store."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from uuid import UUID, uuid5

from application.integration_events import CloudEvent
from application.messages import Context, RecordedEvent
from application.own_events import OWN
from application.ports import NO_STREAM, BusRecord, EventStore, WrongExpectedVersion
from application.receiving.events import INCOMING, NothingToDo, command_id, kept
from domain.decider import Event


class Shelf:
    """The records of one publisher that were set aside, and the events that led to nothing.

    Repeating a method changes nothing. All raise ``StoreUnavailable``.
    """

    def __init__(self, store: EventStore, publisher: str, clock: Callable[[], datetime]) -> None:
        self._store, self._publisher, self._clock = store, publisher, clock

    async def keep(self, stream: str, id: UUID, record: BusRecord) -> RecordedEvent:
        """Set the record aside as the last of that stream; the event that has it."""
        return await self._once(stream, id, kept(record))

    async def led_to_nothing(self, event: CloudEvent) -> bool:
        """Whether the event was handled before, and a command had nothing to do."""
        read = self._store.read(self._stream_of(event), limit=1)
        return [recorded async for recorded in read] != []

    async def note(self, event: CloudEvent) -> None:
        """Note that a command of this event had nothing to do, so that it is not repeated."""
        id = uuid5(command_id(event.source, event.id), "nothing to do")
        noted = NothingToDo(source=event.source, id=event.id, type=event.type)
        await self._once(self._stream_of(event), id, noted)

    def _stream_of(self, event: CloudEvent) -> str:
        return INCOMING.stream(f"{self._publisher}/{command_id(event.source, event.id)}")

    async def _once(self, stream: str, id: UUID, event: Event) -> RecordedEvent:
        """The recorded event of that id, which is appended unless it is there."""
        while True:
            version = NO_STREAM
            async for recorded in self._store.read(stream):
                if recorded.id == id:
                    return recorded
                version = recorded.version
            context = Context.start(self._publisher, id, self._clock())
            with suppress(WrongExpectedVersion):  # another process was first: look again
                await self._store.append(stream, [OWN.new_event(event, id, context)], version)
