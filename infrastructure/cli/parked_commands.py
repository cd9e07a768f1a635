"""``headwater parked replay`` and ``discard``: commands on parked events."""

import asyncio
import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import ValidationError

from application.parking import Held
from application.parking_stream import ParkingStream
from domain.decider import DomainError
from infrastructure.cli.parked_events import firsts_of, parking_of, parking_opened
from infrastructure.cli.printing import say
from infrastructure.cli.process import UsageError
from infrastructure.processes import CommandFailed
from infrastructure.program import Deployment


@dataclass(frozen=True)
class Selection:
    """The events to replay: one, the first of one stream, or the first of each stream."""

    event_id: UUID | None = None
    stream: str | None = None
    everything: bool = False
    group: str | None = None
    limit: int | None = None

    def among(self, streams: Sequence[ParkingStream]) -> Sequence[tuple[ParkingStream, Held]]:
        """The selected events, oldest first. Raises :class:`CommandFailed` when there are none."""
        if self.event_id is not None:
            parking = parking_of(self.event_id, streams)
            return [(parking, parking.parked.held[self.event_id])]
        found = [
            (parking, held)
            for parking in streams
            for held in firsts_of(parking)
            if not held.ready and self.stream in (None, held.parked.stream)
        ]
        if self.stream is not None and not found:
            raise CommandFailed(f"{self.stream} has no parked event to replay")
        return sorted(found, key=lambda one: one[0].since(one[1]))[: self.limit]

    def require_one(self) -> None:
        """Raises :class:`UsageError` unless exactly one of the three is given."""
        if sum((self.event_id is not None, self.stream is not None, self.everything)) != 1:
            raise UsageError("give one of EVENT_ID, --stream NAME and --all")


async def replay(
    deployment: Deployment,
    which: Selection,
    by: str | None,
    reason: str | None,
    *,
    rate: float,
    dry_run: bool,
) -> None:
    """Raises :class:`CommandFailed`, :class:`UsageError`, ``StoreUnavailable``."""
    which.require_one()
    async with parking_opened(deployment, which.group) as parking_streams:
        chosen = which.among(parking_streams)
        behind = sum(parking.parked.waiting_behind(held) for parking, held in chosen)
        say(f"{len(chosen)} to be replayed, {behind} waiting behind them")
        for parking, held in chosen:
            parked = held.parked
            say(f"  {parked.event_id}  {parked.stream}@{parked.version}  {parked.error}")
            if not dry_run:
                await _record(parking, parked.event_id, by, reason)
                await asyncio.sleep(1 / rate)
    if dry_run:
        say("Nothing was recorded: leave out --dry-run to do it.")


async def discard(deployment: Deployment, event_id: UUID, by: str | None, reason: str) -> None:
    """Raises :class:`CommandFailed`, :class:`UsageError`, ``StoreUnavailable``."""
    if not reason.strip():
        raise UsageError("--reason is empty: give a reason, which is recorded")
    async with parking_opened(deployment) as parking_streams:
        parking, name = parking_of(event_id, parking_streams), by or getpass.getuser()
        behind = parking.parked.waiting_behind(parking.parked.held[event_id])
        try:
            await parking.discard(event_id, name, reason)
        except ValidationError as error:
            raise _wrong(error) from error
        say(f"event {event_id} is discarded (recorded for {name}: {reason})")
        if behind:
            say(f"{behind} waiting behind it will be handled")


async def _record(
    parking: ParkingStream, event_id: UUID, by: str | None, reason: str | None
) -> None:
    try:
        await parking.replay(event_id, by or getpass.getuser(), reason)
    except ValidationError as error:
        raise _wrong(error) from error
    except DomainError as refused:
        raise CommandFailed(str(refused)) from refused


def _wrong(error: ValidationError) -> UsageError:
    wrong = error.errors()[0]
    return UsageError(f"--{wrong['loc'][0]}: {wrong['msg'].lower()}")
