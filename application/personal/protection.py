"""Encrypts the personal data of events before a store has them, and reads it again.

The one place where keys and events meet. ``ProtectedStore`` encrypts what is appended. What is read
goes through :func:`application.claim_check.claim`, on each way out of a store, and from there here.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from application.category import split
from application.messages import NewEvent, RecordedEvent, UnreadableEvent
from application.personal.declared import Declared
from application.personal.keyring import Keyring
from application.personal.sealing import Box, Draft, Key, Unopened, box_in
from application.ports import Appended, EventStore
from domain.decider import Event


class PersonalData:
    """The personal data of a service's events. Its methods raise ``StoreUnavailable``."""

    def __init__(self, declared: Mapping[tuple[str, str], Declared], keyring: Keyring) -> None:
        """``declared``: by the category and the type of the event, as a ``Service`` has them."""
        self._declared, self._keyring = declared, keyring
        self._types = frozenset(type for _, type in declared)

    async def sealed(self, stream: str, events: Sequence[NewEvent]) -> Sequence[NewEvent]:
        """The events as a store may have them: encrypted, or masked for a forgotten subject."""
        if self._types.isdisjoint(event.type for event in events):
            return events
        return [await self._sealed(stream, event) for event in events]

    async def opened(self, events: Sequence[RecordedEvent]) -> Sequence[RecordedEvent]:
        """The events as they were before: whole, or masked if the subject is forgotten.

        One that cannot be opened raises ``UnreadableEvent`` when its event is asked for.
        """
        boxes = [_box(recorded) for recorded in events]
        if not any(boxes):
            return events
        subjects = {one for box in boxes if isinstance(box, Box) for one in box.subjects}
        keys = await self._keyring.keys(subjects)
        return [_opened(one, box, keys) for one, box in zip(events, boxes, strict=True)]

    async def _sealed(self, stream: str, event: NewEvent) -> NewEvent:
        if not (found := self._declared.get((split(stream)[0], event.type))):
            return event
        draft = Draft(found, event.data, stream)
        if not draft.subjects:
            return event
        keys = [await self._keyring.key(one) for one in draft.subjects]
        key = together(keys)
        if key is None:
            return replace(event, data=draft.masked())
        return replace(event, data=draft.sealed(event.type, event.id, key))


class ProtectedStore:
    """An :class:`~application.ports.EventStore` that is given no personal data in the clear."""

    def __init__(self, store: EventStore, personal: PersonalData) -> None:
        """``store`` opens what it reads: a ``ClaimCheck``."""
        self._store, self._personal = store, personal

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected_version: int
    ) -> Appended:
        """As the port; raises ``ValueError`` for a text that cannot be a data subject."""
        sealed = await self._personal.sealed(stream, events)
        return await self._store.append(stream, sealed, expected_version)

    def read(
        self,
        stream: str,
        *,
        from_version: int = 0,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        return self._store.read(stream, from_version=from_version, backwards=backwards, limit=limit)


def together(keys: Sequence[Key | None]) -> Key | None:
    """One key of all these; ``None`` if one of them is gone."""
    there = [key for key in keys if key is not None]
    return Key.of_all(there) if len(there) == len(keys) else None


def _box(recorded: RecordedEvent) -> Box | Unopened | None:
    try:
        return box_in(recorded.data)
    except Unopened as error:
        return error


def _opened(
    recorded: RecordedEvent, box: Box | Unopened | None, keys: Mapping[str, Key | None]
) -> RecordedEvent:
    if box is None:
        return recorded
    try:
        if isinstance(box, Unopened):
            raise box
        key = together([keys[one] for one in box.subjects])
        return recorded.with_data(box.opened(recorded.type, recorded.id, key))
    except Unopened as error:
        return replace(recorded, decoder=_Unopened(str(error)))


class _Unopened:
    """The decoder of an event whose personal data cannot be opened."""

    personal = None

    def __init__(self, why: str) -> None:
        self._why = why

    def decode(self, *_: object) -> Event:
        raise UnreadableEvent(self._why)
