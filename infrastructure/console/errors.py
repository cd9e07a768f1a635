"""The last errors: why read models stopped, events were parked, and sagas are stuck or failed.

They are those of what has not been put right yet, and come from the stores.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from application.parking_stream import ParkingStream
from application.sagas.state import SagaStatus
from infrastructure.console.section import HOME
from infrastructure.http.served import Served

SHOWN: Final = 10
_SAGAS: Final = 100  # that are stuck, and as many that failed: the oldest


@dataclass(frozen=True)
class LastError:
    """An error, what it stopped, and the page that says more."""

    at: datetime
    what: str
    why: str
    link: str


def newest(*errors: Sequence[LastError]) -> Sequence[LastError]:
    """Of all these, newest first."""
    found = sorted((one for some in errors for one in some), key=lambda one: one.at)
    return found[::-1][:SHOWN]


async def of_builds(service: Served) -> Sequence[LastError]:
    """Those of read models. Raises ``StoreUnavailable``."""
    return [
        LastError(
            failure.at,
            standing.build.table,
            f"{failure.event}: {failure.error}",
            f"{HOME}/read-models/{standing.build.name}",
        )
        for standing in await service.builds.standings()
        if (failure := standing.failure)
    ]


async def of_sagas(service: Served) -> Sequence[LastError]:
    """Those of sagas. Raises ``NotBuilt``, ``StoreUnavailable``."""
    if not service.program.service.versions:
        return []
    views = await service.read_models.live(service.program.service.standings)
    found = [
        *await views.find(equal={"stuck": "true"}, by="started_at", limit=_SAGAS),
        *await views.find(equal={"status": SagaStatus.FAILED}, by="started_at", limit=_SAGAS),
    ]
    return [
        LastError(
            one.changed_at,
            one.key,
            one.error or one.reason or "?",
            f"{HOME}/sagas/{one.saga}/{quote(one.saga_id, safe='')}",
        )
        for one in (seen.view for _, seen in found)
    ]


def of_parked(groups: Sequence[ParkingStream]) -> Sequence[LastError]:
    """Those of parked events, without the events that only wait behind them."""
    return [one for of in groups for one in _of_group(of)]


def _of_group(of: ParkingStream) -> Iterator[LastError]:
    for held in of.parked.held.values():
        if why := held.parked.error:
            event = held.parked
            link = f"{HOME}/parked/{quote(of.group, safe='')}/{event.event_id}"
            yield LastError(of.since(held), f"{event.type} in {of.group}", why, link)
