"""``headwater parked list`` and ``show``: the parked events of all groups."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from application.operating.parked_list import FIRST, Listed, listed
from application.parking import Held, ParkedStatus
from application.parking_stream import ParkingStream, groups_that_parked
from application.receiving.events import RecordKept  # only: bus
from application.time_range import EVER, TimeRange
from infrastructure.cli.forms import say_data
from infrastructure.cli.kept_records import readable, shortened  # only: bus
from infrastructure.cli.printing import say
from infrastructure.cli.process import UsageError, typed
from infrastructure.cli.table import Column, print_table, say_text
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


@asynccontextmanager
async def parking_opened(
    deployment: Deployment, group: str | None = None
) -> AsyncIterator[Sequence[ParkingStream]]:
    """The parking streams (of that group), read. Raises ``CommandFailed``, ``StoreUnavailable``."""
    async with opened_for(deployment, EVENTS) as container:
        groups = await groups_that_parked(container.subscriptions())
        if group is not None and group not in groups:
            known = f"groups with parked events: {', '.join(groups)}" if groups else "no group has"
            raise CommandFailed(f"no group {group} has ever parked an event; {known}")
        parking_streams = [container.parking(name) for name in groups if group in (None, name)]
        for parking in parking_streams:
            await parking.look()
        yield parking_streams


async def print_parked(
    deployment: Deployment, group: str | None, status: str, since: TimeRange, *, json: bool
) -> None:
    """Print those with that status that were parked in that time, the newest first.

    Raises :class:`UsageError` for a word that is no status.
    """
    async with parking_opened(deployment, group) as parking_streams:
        try:
            found = listed(parking_streams, status, parked=since)
        except ValueError as error:
            raise UsageError(f"--status: {error}") from error
        if json:
            say_data([_document(one.of, one.held) for one in found], columns=_FIELDS)
        elif found:
            _show(found, status)
        else:
            say_text(_nothing(status, since))


def _nothing(status: str, since: TimeRange) -> str:
    if status == FIRST:
        return "Nothing is parked." if since == EVER else "Nothing of that time is parked."
    what = "Nothing" if status == "all" else f"No event with the status {status}"
    return f"{what}{'' if since == EVER else ' of that time'} is parked."


async def print_one(deployment: Deployment, event_id: UUID, *, json: bool) -> None:
    """Print one parked event. Raises :class:`CommandFailed` when it is not parked."""
    async with parking_opened(deployment) as parking_streams:
        parking = parking_of(event_id, parking_streams)
        held = parking.parked.held[event_id]
        document = _document(parking, held)
        waiting = parking.parked.streams[held.parked.stream]
        document["behind_it"] = [str(id) for id in waiting[waiting.index(event_id) + 1 :]]
        # only: bus
        recorded = await parking.event(held)
        if recorded and isinstance(recorded.event, RecordKept):
            document["record"] = readable(recorded.event)
        # end: bus
        if json:
            say_data(document)
            return
        # only: bus
        document |= {name: shortened(part) for name, part in document.pop("record", {}).items()}
        # end: bus
        for name, value in document.items():
            say(f"{name}: {', '.join(value) if isinstance(value, list) else value}")


def parking_of(event_id: UUID, parking_streams: Sequence[ParkingStream]) -> ParkingStream:
    """The parking stream that holds the event. Raises :class:`CommandFailed`."""
    found = [parking for parking in parking_streams if event_id in parking.parked.held]
    if not found:
        raise CommandFailed(
            f"event {event_id} is not parked; `{typed('parked list')}` shows what is"
        )
    return found[0]


def _document(parking: ParkingStream, held: Held) -> dict[str, Any]:
    parked = held.parked
    return {
        "event_id": str(parked.event_id),
        "group": parking.group,
        "stream": parked.stream,
        "version": parked.version,
        "type": parked.type,
        "status": parking.parked.status(held),
        "since": parking.since(held).isoformat(timespec="seconds"),
        "attempts": parked.attempts,
        "error": parked.error,
        "replay_requested": held.replay,
        "waiting_behind": parking.parked.waiting_behind(held),
    }


_FIELDS: Final = (
    *("event_id", "group", "stream", "version", "type", "status", "since"),
    *("attempts", "error", "replay_requested", "waiting_behind"),
)
_COLUMNS: Final = (
    *map(Column, ("event", "group", "of", "type", "status", "since")),
    Column("behind", right=True),
    Column("error", text=True),
)


def _show(found: Sequence[Listed], status: str) -> None:
    print_table(_COLUMNS, [_cells(one) for one in found])
    waiting = sum(one.behind for one in found)
    behind = (
        "" if status in (ParkedStatus.WAITING, "all") else f", waiting behind them: {waiting:,}"
    )
    say()
    say_text(f"{'parked' if status in (FIRST, 'all') else status}: {len(found):,}{behind}")


def _cells(one: Listed) -> Sequence[str]:
    document = _document(one.of, one.held)
    return (
        document["event_id"],
        one.of.group,
        f"{document['stream']}@{document['version']}",
        document["type"],
        one.status,
        f"{one.since.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}",
        f"{one.behind:,}",
        document["error"] or "",
    )
