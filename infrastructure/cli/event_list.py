"""``headwater events list``: a page of events of all streams."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final

from application.browsing.documents import author, stored
from application.browsing.filtered import events_within
from application.messages import RecordedEvent
from application.ports import Found, Reading, Wanted
from application.time_range import TimeRange
from infrastructure.cli.forms import say_data
from infrastructure.cli.list_end import in_all, say_end, summary
from infrastructure.cli.printing import say
from infrastructure.cli.process import UsageError
from infrastructure.cli.table import Column, print_table, say_text
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment

_COLUMNS: Final = (
    Column("recorded"),
    Column("event"),
    Column("type"),
    Column("by", text=True),
)


def page(oldest_first: bool, after: str | None, limit: int) -> Reading:
    """Raises :class:`UsageError` for a limit that is no page."""
    try:
        return Reading(newest_first=not oldest_first, after=after, limit=limit)
    except ValueError as error:
        raise UsageError(str(error)) from error


async def print_events(
    deployment: Deployment, wanted: Wanted, recorded: TimeRange, reading: Reading, *, json: bool
) -> None:
    """Print it. Raises :class:`UsageError`, ``CommandFailed``, ``StoreUnavailable``."""
    async with opened_for(deployment, EVENTS) as container:
        try:
            found = await events_within(container.event_browser(), wanted, recorded, reading)
        except ValueError as error:
            raise UsageError(str(error)) from error
    if json:
        documents = [document_of(one) for one in found.items]
        say_data({"events": documents, **ending(found)}, items="events", columns=FIELDS)
        return
    print_table(_COLUMNS, [_cells(one) for one in found.items])
    say_ending(found, "event", "events")


FIELDS: Final = (
    *("stream", "version", "position", "type", "id", "recorded_at"),
    *("correlation_id", "causation_id", "actor", "on_behalf_of"),
)


def document_of(event: RecordedEvent) -> dict[str, Any]:
    """An event as JSON shows it: the names of its fields do not change."""
    found = stored(event.metadata_json)
    metadata = found if isinstance(found, dict) else {}
    return {
        "stream": event.stream,
        "version": event.version,
        "position": event.position,
        "type": event.type,
        "id": str(event.id),
        "recorded_at": event.recorded_at.isoformat(),
        "correlation_id": event.correlation_id,
        "causation_id": event.causation_id,
        "actor": metadata.get("actor"),
        "on_behalf_of": metadata.get("on_behalf_of"),
    }


def _cells(event: RecordedEvent) -> Sequence[str]:
    by = author(stored(event.metadata_json)) or "?"
    at = f"{event.recorded_at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
    return (at, f"{event.stream}@{event.version}", event.type, by)


def ending(found: Found[Any]) -> dict[str, Any]:
    """What JSON says behind the items of a page."""
    return {
        "after": found.reached if found.more else None,
        **in_all(found.total),
        "lacks": [
            {"source": one.source, "why": one.why, "remedy": one.remedy, "seconds": one.seconds}
            for one in found.lacks
        ],
    }


def say_ending(found: Found[Any], one: str, several: str) -> None:
    """How many there are, where the next page begins, and what is missing."""
    after = found.reached if found.more else None
    if found.items:
        say()
    words = summary(len(found.items), found.total, one, several)
    known = found.total is not None and found.total.number > len(found.items)
    say_end(words, after, "the next page" if known else "there may be more")
    for lack in found.lacks:
        say_text(f"Not all is here: {lack}")
