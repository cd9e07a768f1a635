"""Everything that is stored of one data subject, in one document."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from application.personal.forgotten import remembrance
from application.personal.subject_events import OfPersons, OfSubject, events_of
from application.ports import EventStore, PayloadStore, require_subject
from application.whole_log import EventLog, Report, unreported


class NothingToExport(Exception):
    """There is nothing that can be read of the subject. The message says why."""


class Exporting:
    """Exports the events that name a data subject, or hold personal data of it."""

    def __init__(
        self,
        service: str,
        declared: OfPersons,
        store: Callable[[], EventStore],
        log: Callable[[], EventLog],
        payloads: Callable[[], PayloadStore],
    ) -> None:
        self._service, self._declared = service, declared
        self._store, self._log, self._payloads = store, log, payloads

    async def export(
        self, subject: str, at: datetime | None = None, report: Report = unreported
    ) -> dict[str, Any]:
        """The document, as JSON has it: each event with its stream, its times, and its data.

        Raises :class:`NothingToExport` for a subject that is forgotten or unknown, ``ValueError``
        for a text that cannot be one, and ``StoreUnavailable``.
        """
        require_subject(subject)
        if (await remembrance(self._store(), subject)).since:
            raise NothingToExport(f"{subject!r} is forgotten: its personal data cannot be read")
        events = list[dict[str, Any]]()
        found = events_of(subject, self._declared, self._log(), self._payloads(), report)
        async for one in found:
            if one.sealed and not one.readable:
                raise NothingToExport(
                    f"the key of {subject!r} is not there: {one.recorded.stream}"
                    f"@{one.recorded.version} cannot be read"
                )
            events.append(_document(one))
        if not events:
            raise NothingToExport(f"no event is about {subject!r}")
        return {
            "service": self._service,
            "subject": subject,
            "exported_at": (at or datetime.now(UTC)).isoformat(),
            "events": events,
        }


def _document(one: OfSubject) -> dict[str, Any]:
    recorded = one.recorded
    return {
        "stream": recorded.stream,
        "version": recorded.version,
        "type": recorded.type,
        "recorded_at": recorded.recorded_at.isoformat(),
        "data": recorded.event.model_dump(mode="json"),
    }
