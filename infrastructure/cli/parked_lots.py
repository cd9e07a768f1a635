"""``headwater parked list`` and ``show``: what is in the parking lots, and where they are found."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from rich.text import Text

from application.parking import Held
from application.parking_lot import ParkingLot, groups_with_a_lot
from infrastructure.cli.columns import aligned
from infrastructure.cli.printing import Console, say, say_json
from infrastructure.processes import CommandFailed
from infrastructure.processes.needs import EVENTS
from infrastructure.processes.servers import opened_for
from infrastructure.program import Deployment


@asynccontextmanager
async def lots_opened(
    deployment: Deployment, group: str | None = None
) -> AsyncIterator[Sequence[ParkingLot]]:
    """The parking lots (of that group), read. Raises ``CommandFailed``, ``StoreUnavailable``."""
    async with opened_for(deployment, EVENTS) as container:
        groups = await groups_with_a_lot(container.subscriptions())
        if group is not None and group not in groups:
            known = f"groups with parked events: {', '.join(groups)}" if groups else "no group has"
            raise CommandFailed(f"no group {group} has ever parked an event; {known}")
        lots = [container.parking(name) for name in groups if group in (None, name)]
        for lot in lots:
            await lot.look()
        yield lots


async def print_parked(deployment: Deployment, group: str | None, *, json: bool) -> None:
    """Print the first of each stream, the oldest first."""
    async with lots_opened(deployment, group) as lots:
        firsts = [(lot, held) for lot in lots for held in firsts_of(lot)]
        firsts.sort(key=lambda found: found[0].since(found[1]))
        if json:
            say_json([_told(*found) for found in firsts])
        elif not firsts:
            say("Nothing is parked.")
        else:
            _show(firsts)


async def print_one(deployment: Deployment, event_id: UUID, *, json: bool) -> None:
    """Print one parked event. Raises :class:`CommandFailed` when it is not parked."""
    async with lots_opened(deployment) as lots:
        lot = lot_of(event_id, lots)
        held = lot.lot.held[event_id]
        told = _told(lot, held)
        waiting = lot.lot.streams[held.parked.stream]
        told["behind_it"] = [str(id) for id in waiting[waiting.index(event_id) + 1 :]]
        if json:
            say_json(told)
            return
        for name, value in told.items():
            say(f"{name}: {', '.join(value) if isinstance(value, list) else value}")


def firsts_of(lot: ParkingLot) -> Sequence[Held]:
    """What comes first in each stream of a lot."""
    return [lot.lot.held[queue[0]] for queue in lot.lot.streams.values()]


def lot_of(event_id: UUID, lots: Sequence[ParkingLot]) -> ParkingLot:
    """The lot that holds the event. Raises :class:`CommandFailed`."""
    found = [lot for lot in lots if event_id in lot.lot.held]
    if not found:
        raise CommandFailed(
            f"event {event_id} is not parked; `headwater parked list` shows what is"
        )
    return found[0]


def _told(lot: ParkingLot, held: Held) -> dict[str, Any]:
    parked = held.parked
    return {
        "event_id": str(parked.event_id),
        "group": lot.group,
        "stream": parked.stream,
        "version": parked.version,
        "type": parked.type,
        "since": lot.since(held).isoformat(timespec="seconds"),
        "attempts": parked.attempts,
        "error": parked.error,
        "replay_requested": held.replay,
        "waiting_behind": lot.lot.waiting_behind(held),
    }


def _show(firsts: Sequence[tuple[ParkingLot, Held]]) -> None:
    console = Console()
    names = ("event", "group", "of", "since", "behind", "error")
    rows = [[Text(name, "bold") for name in names]]
    for lot, held in firsts:
        told = _told(lot, held)
        of = f"{told['stream']}@{told['version']} {told['type']}"
        error = "to be replayed" if held.ready else str(told["error"])
        cells = (told["event_id"], lot.group, of, told["since"], told["waiting_behind"], error)
        rows.append([Text(str(cell)) for cell in cells])
    for line in aligned(rows, right=(4,)):
        console.print(line, soft_wrap=True)
