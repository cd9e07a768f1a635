"""``headwater parked list`` and ``show``: the parked events of all groups."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from rich.text import Text

from application.parking import Held
from application.parking_stream import ParkingStream, groups_that_parked
from infrastructure.cli.columns import aligned
from infrastructure.cli.printing import Console, say, say_json
from infrastructure.cli.process import typed
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


async def print_parked(deployment: Deployment, group: str | None, *, json: bool) -> None:
    """Print the first of each stream, the oldest first."""
    async with parking_opened(deployment, group) as parking_streams:
        firsts = [(parking, held) for parking in parking_streams for held in firsts_of(parking)]
        firsts.sort(key=lambda found: found[0].since(found[1]))
        if json:
            say_json([_document(*found) for found in firsts])
        elif not firsts:
            say("Nothing is parked.")
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
        if json:
            say_json(document)
            return
        for name, value in document.items():
            say(f"{name}: {', '.join(value) if isinstance(value, list) else value}")


def firsts_of(parking: ParkingStream) -> Sequence[Held]:
    """The first parked event of each stream."""
    return [parking.parked.held[queue[0]] for queue in parking.parked.streams.values()]


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


def _show(firsts: Sequence[tuple[ParkingStream, Held]]) -> None:
    console = Console()
    names = ("event", "group", "of", "since", "behind", "error")
    rows = [[Text(name, "bold") for name in names]]
    for parking, held in firsts:
        document = _document(parking, held)
        of = f"{document['stream']}@{document['version']} {document['type']}"
        error = "to be replayed" if held.ready else str(document["error"])
        cells = (
            document["event_id"],
            parking.group,
            of,
            document["since"],
            document["waiting_behind"],
            error,
        )
        rows.append([Text(str(cell)) for cell in cells])
    for line in aligned(rows, right=(4,)):
        console.print(line, soft_wrap=True)
