"""``headwater parked list`` and ``show``: the parked events of all groups."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

from application.operating.parked import firsts_of
from application.parking import Held
from application.parking_stream import ParkingStream, groups_that_parked
from application.receiving.events import RecordKept  # only: bus
from application.time_range import EVER, TimeRange
from infrastructure.cli.forms import say_data
from infrastructure.cli.kept_records import readable, shortened  # only: bus
from infrastructure.cli.printing import say
from infrastructure.cli.process import typed
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
    deployment: Deployment, group: str | None, since: TimeRange, *, json: bool
) -> None:
    """Print the first of each stream that was parked in that time, the newest first."""
    async with parking_opened(deployment, group) as parking_streams:
        firsts = [
            (parking, held)
            for parking in parking_streams
            for held in firsts_of(parking)
            if parking.since(held) in since
        ]
        firsts.sort(key=lambda found: found[0].since(found[1]))
        firsts.reverse()
        if json:
            say_data([_document(*found) for found in firsts], columns=_FIELDS)
        elif not firsts:
            say_text("Nothing is parked." if since == EVER else "Nothing of that time is parked.")
        else:
            _show(firsts)


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
        "since": parking.since(held).isoformat(timespec="seconds"),
        "attempts": parked.attempts,
        "error": parked.error,
        "replay_requested": held.replay,
        "waiting_behind": parking.parked.waiting_behind(held),
    }


_FIELDS: Final = (
    *("event_id", "group", "stream", "version", "type", "since"),
    *("attempts", "error", "replay_requested", "waiting_behind"),
)
_COLUMNS: Final = (
    *map(Column, ("event", "group", "of", "type", "since")),
    Column("behind", right=True),
    Column("error", text=True),
)


def _show(firsts: Sequence[tuple[ParkingStream, Held]]) -> None:
    print_table(_COLUMNS, [_cells(parking, held) for parking, held in firsts])
    waiting = sum(parking.parked.waiting_behind(held) for parking, held in firsts)
    say()
    say_text(f"parked: {len(firsts):,}, waiting behind them: {waiting:,}")


def _cells(parking: ParkingStream, held: Held) -> Sequence[str]:
    document = _document(parking, held)
    return (
        document["event_id"],
        parking.group,
        f"{document['stream']}@{document['version']}",
        document["type"],
        document["since"],
        f"{document['waiting_behind']:,}",
        "to be replayed" if held.ready else str(document["error"]),
    )
