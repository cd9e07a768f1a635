"""What the log holds of a data subject: its events, and the texts in them that are personal."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from application.claim_check import claim, fetched
from application.event_filter import EventFilter, kind_of
from application.messages import RecordedEvent, UnreadableEvent
from application.personal.declared import Declared
from application.personal.sealing import Draft, Unopened, box_in
from application.ports import PayloadStore
from application.whole_log import EventLog, Report, unreported, whole_log

OfPersons = Mapping[tuple[str, str], Declared]
"""Events about persons, by category and type, as a ``Service`` declares them."""


@dataclass(frozen=True)
class OfSubject:
    """An event about the subject."""

    recorded: RecordedEvent
    """As it is read: whole, or masked."""
    readable: bool
    """Whether any personal data in it can be read."""
    sealed: bool
    """Whether there is any that is encrypted, with a key that is there or not."""
    texts: frozenset[str] = frozenset()
    """The personal texts in it that can be read, of 3 characters at least."""

    @property
    def kind(self) -> tuple[str, str]:
        return kind_of(self.recorded)


async def events_of(
    subject: str,
    declared: OfPersons,
    log: EventLog,
    payloads: PayloadStore,
    report: Report = unreported,
) -> AsyncIterator[OfSubject]:
    """All events that name the subject, or hold personal data of it, in order.

    Reads all events that are declared. Raises ``StoreUnavailable`` and ``PayloadUnavailable``.
    """
    if not declared:
        return
    async with whole_log(log, EventFilter(frozenset(declared)), report) as events:
        async for recorded in events:
            stored = await fetched(recorded, payloads)
            whole = await claim(stored, payloads)
            draft = _draft(whole, declared)
            readable = draft is not None and subject in draft.subjects
            sealed = subject in _sealed_for(stored)
            if readable or sealed or (draft and subject in draft.named):
                texts = frozenset(_texts(whole, draft)) if draft and readable else frozenset[str]()
                yield OfSubject(whole, readable, sealed, texts)


def readable_subjects(recorded: RecordedEvent, declared: OfPersons) -> frozenset[str]:
    """The data subjects of whom an event, as it is read, shows personal data."""
    draft = _draft(recorded, declared)
    return frozenset(draft.subjects) if draft else frozenset()


def _sealed_for(stored: RecordedEvent) -> tuple[str, ...]:
    try:
        box = box_in(stored.data)
    except Unopened:
        return ()
    return box.subjects if box else ()


def _draft(recorded: RecordedEvent, declared: OfPersons) -> Draft | None:
    """Its data; ``None`` for an event that is about no person, or that cannot be read."""
    if (found := declared.get(kind_of(recorded))) is None:
        return None
    try:
        return Draft(found, recorded.event.model_dump_json().encode(), recorded.stream)
    except UnreadableEvent:
        return None


def _texts(recorded: RecordedEvent, draft: Draft) -> Iterator[str]:
    whole = json.loads(recorded.event.model_dump_json())
    for text in _differing(whole, json.loads(draft.masked())):
        if len(text) >= _SHORTEST:
            yield text


_SHORTEST: Final = 3  # characters: shorter ones stand everywhere


def _differing(whole: Any, masked: Any) -> Iterator[str]:
    """The texts that the mask hides."""
    if isinstance(whole, dict) and isinstance(masked, dict):
        for name, value in whole.items():
            yield from _differing(value, masked.get(name))
    elif isinstance(whole, list) and isinstance(masked, list) and len(whole) == len(masked):
        for one, other in zip(whole, masked, strict=True):
            yield from _differing(one, other)
    elif whole != masked:
        yield from texts_in(whole)


def texts_in(document: Any) -> Iterator[str]:
    """All texts of a JSON document, without the names of its fields."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        for value in document.values():
            yield from texts_in(value)
    elif isinstance(document, list | tuple):
        for value in document:
            yield from texts_in(value)
