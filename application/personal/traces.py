"""Looks for readable traces of a data subject in every store."""

import json
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from application.claim_check import claim, fetched, reference, refers
from application.event_filter import EVERYTHING
from application.messages import RecordedEvent
from application.personal.subject_events import OfPersons, readable_subjects, texts_in
from application.ports import (
    Builds,
    KeyStore,
    PayloadUnavailable,
    ReadModels,
    SweepablePayloads,
)
from application.whole_log import EventLog, Report, unreported, whole_log


@dataclass(frozen=True)
class Trace:
    """Something that can be read of a forgotten subject."""

    place: str
    """Which store, and where in it: ``event order-1@0``."""
    what: str


class Traces:
    """Searches the key store, the log with its payloads, the payload store, and all views.

    Snapshots, parked events, and the facts of sagas are events in the log.
    """

    def __init__(
        self,
        declared: OfPersons,
        keys: Callable[[], KeyStore],
        log: Callable[[], EventLog],
        payloads: Callable[[], SweepablePayloads],
        builds: Callable[[], Builds],
        read_models: Callable[[], ReadModels],
    ) -> None:
        self._declared = declared
        self._keys, self._log, self._payloads = keys, log, payloads
        self._builds, self._read_models = builds, read_models

    async def of(
        self, subject: str, texts: Collection[str] = (), report: Report = unreported
    ) -> AsyncIterator[Trace]:
        """All traces: a key, personal data that can still be read, and any of these texts.

        Views and payloads can be searched by ``texts`` only. Case makes a difference. Raises
        ``StoreUnavailable``.
        """
        if await self._keys().keys([subject]):
            yield Trace("key store", "has a key of the subject")
        wanted = Texts(texts)
        async for trace in self._in_events(subject, wanted, report):
            yield trace
        if wanted:
            async for trace in self._in_payloads(wanted):
                yield trace
            async for trace in self._in_views(wanted):
                yield trace

    async def _in_events(
        self, subject: str, wanted: "Texts", report: Report
    ) -> AsyncIterator[Trace]:
        payloads = self._payloads()
        async with whole_log(self._log(), EVERYTHING, report) as events:
            async for recorded in events:
                place = f"event {recorded.stream}@{recorded.version}"
                try:
                    stored = await fetched(recorded, payloads)
                except PayloadUnavailable:
                    stored = recorded
                if text := wanted.in_bytes(stored.data, stored.metadata_json):
                    yield Trace(_payload(recorded) or place, f"holds {text!r} as it is stored")
                    continue
                whole = await claim(stored, payloads)
                if subject in readable_subjects(whole, self._declared):
                    yield Trace(place, "shows personal data of the subject")

    async def _in_payloads(self, wanted: "Texts") -> AsyncIterator[Trace]:
        """Those of no event, too: what a killed process has left."""
        payloads = self._payloads()
        async for one in payloads.stored():
            if not one.is_payload:
                continue
            try:
                data = await payloads.get(one.digest)
            except PayloadUnavailable:
                continue
            if text := wanted.in_bytes(data):
                yield Trace(f"payload {one.digest}", f"holds {text!r}")

    async def _in_views(self, wanted: "Texts") -> AsyncIterator[Trace]:
        for standing in await self._builds().standings():
            async for key, document in self._read_models().documents(standing.build):
                if text := wanted.in_texts([key, *texts_in(document)]):
                    yield Trace(f"view {key} of {standing.build.table}", f"holds {text!r}")


class Texts:
    """Texts to look for."""

    def __init__(self, texts: Collection[str]) -> None:
        self._texts = sorted({text for text in texts if text.strip()})

    def __bool__(self) -> bool:
        return bool(self._texts)

    def in_texts(self, given: Iterable[str]) -> str | None:
        """The first of them that stands within one of these."""
        return next((text for one in given for text in self._texts if text in one), None)

    def in_bytes(self, *documents: bytes) -> str | None:
        """The same for JSON, however it writes a character, and for what is not JSON."""
        return self.in_texts(text for data in documents for text in _texts_of(data))


def _texts_of(data: bytes) -> Iterator[str]:
    try:
        document: Any = json.loads(data)
    except ValueError:
        yield data.decode(errors="replace")
        return
    yield from texts_in(document)
    yield from _names_in(document)


def _names_in(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        yield from document
        for value in document.values():
            yield from _names_in(value)
    elif isinstance(document, list):
        for value in document:
            yield from _names_in(value)


def _payload(recorded: RecordedEvent) -> str | None:
    if not refers(recorded):
        return None
    return f"payload {reference(recorded)} of event {recorded.stream}@{recorded.version}"
