"""``headwater streams``: a page of streams, each with its last event."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final

from application.browsing.filtered import streams_within
from application.ports import EventBrowser, Found, Reading, StreamSeen
from application.time_range import TimeRange
from infrastructure.cli.event_list import ending, say_ending
from infrastructure.cli.forms import say_data
from infrastructure.cli.process import UsageError
from infrastructure.cli.table import Column, print_table
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment

_COLUMNS: Final = (
    Column("stream"),
    Column("events", right=True),
    Column("last event"),
    Column("recorded"),
)
_FIELDS: Final = ("stream", "last_version", "last_type", "last_recorded_at")


@dataclass(frozen=True)
class Asked:
    """Which streams, and in which order."""

    category: str | None
    prefix: str
    last_recorded: TimeRange
    changed: bool


async def print_streams(
    deployment: Deployment, asked: Asked, reading: Reading, *, json: bool
) -> None:
    """Print it. Raises :class:`UsageError`, ``CommandFailed``, ``StoreUnavailable``."""
    if asked.changed and asked.prefix:
        raise UsageError("--changed and --prefix do not go together: use --category")
    async with opened_for(deployment, EVENTS) as container:
        try:
            found = await _found(container.event_browser(), asked, reading)
        except ValueError as error:
            raise UsageError(str(error)) from error
    if json:
        documents = [_document(one) for one in found.items]
        say_data({"streams": documents, **ending(found)}, items="streams", columns=_FIELDS)
        return
    print_table(_COLUMNS, [_cells(one) for one in found.items])
    say_ending(found, "stream", "streams")


async def _found(browser: EventBrowser, asked: Asked, reading: Reading) -> Found[StreamSeen]:
    prefix = None if asked.changed else asked.prefix
    return await streams_within(browser, asked.category, prefix, asked.last_recorded, reading)


def _document(seen: StreamSeen) -> dict[str, Any]:
    last = seen.last
    return {
        "stream": seen.name,
        "last_version": last and last.version,
        "last_type": last and last.type,
        "last_recorded_at": last and last.recorded_at.isoformat(),
    }


def _cells(seen: StreamSeen) -> Sequence[str]:
    if seen.last is None:
        return (seen.name, "0", "deleted", "")
    at = f"{seen.last.recorded_at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
    return (seen.name, f"{seen.last.version + 1:,}", seen.last.type, at)
