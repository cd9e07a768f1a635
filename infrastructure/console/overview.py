"""The first page: how the service is as a whole, what is wrong first.

Its figures come from the stores, so they are those of all processes. Each part is looked at by
itself: what does not answer is shown as that, and the others are shown all the same.
"""

import asyncio
import time
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fastapi import Response

from application.messages import RecordedEvent
from application.parking_stream import ParkingStream
from application.ports import (
    ForwarderStanding,  # only: bus
    Found,
    NotBuilt,
    Reading,
    StoreUnavailable,
    StreamUnusable,
    Wanted,
)
from application.projections.lag import Lag
from infrastructure.console import errors
from infrastructure.console.parked import streams as parking_streams
from infrastructure.console.read_models import worst_first
from infrastructure.console.sagas import OfOneName, by_name
from infrastructure.console.sampling import Figures, rate_of
from infrastructure.console.section import HOME, Section
from infrastructure.console.visit import Visit, Visiting
from infrastructure.health import Readiness
from infrastructure.http.served import Served

SECTION: Final = Section("Overview", "", "o")
PATIENCE: Final = 3.0  # seconds for each part
_NEWEST: Final = Reading(limit=100)


@dataclass(frozen=True)
class Wrong:
    """Something that is wrong, and the page that says more."""

    what: str
    why: str
    link: str
    tone: str = "bad"


@dataclass(frozen=True)
class Seen:
    """What there is; ``None``: unknown, for the reason in ``unknown``."""

    readiness: Readiness | None
    head: int | None
    newest: Found[RecordedEvent] | None
    lags: Sequence[Lag] | None
    parked: Sequence[ParkingStream] | None
    sagas: Sequence[OfOneName] | None
    unknown: Mapping[str, str]
    bus: ForwarderStanding | None = None  # only: bus

    @property
    def rate(self) -> float | None:
        return rate_of(self.newest, time.time()) if self.newest else None


@SECTION.get()
async def overview(visit: Visiting) -> Response:
    return await visit.page("overview.html", partial(_look, visit))


async def _look(visit: Visit) -> Mapping[str, Any]:
    service = visit.service
    seen, *of_views = await asyncio.gather(
        see(service), _known(errors.of_builds(service)), _known(errors.of_sagas(service))
    )
    known = [one for one in of_views if not isinstance(one, _Unknown)]
    return {
        "seen": seen,
        "wrong": [*_wrong(seen)],
        "lags": worst_first(seen.lags or ()),
        "builds": {lag.build.name for lag in seen.lags or ()},
        "errors": errors.newest(*known, errors.of_parked(seen.parked or ())),
        "settings": service.settings,
        "samples": visit.site.samples,
        "forwards": bool(service.bus()),  # only: bus
        "counts": partial(_count, seen),
    }


async def see(service: Served, *, counted: bool = True) -> Seen:
    """Look at all parts at once."""
    parts: Mapping[str, Awaitable[Any]] = {
        "readiness": service.health.readiness(),
        "head": service.facts.head(),
        "newest": service.browser.events(Wanted(), _NEWEST),
        "lags": service.lags.counted() if counted else service.lags.all(),
        "parked": parking_streams(service),
        "sagas": by_name(service),
        "bus": _on_bus(service),  # only: bus
    }
    found = await asyncio.gather(*map(_known, parts.values()))
    unknown = {
        name: one.why for name, one in zip(parts, found, strict=True) if isinstance(one, _Unknown)
    }
    known = {
        name: None if isinstance(one, _Unknown) else one
        for name, one in zip(parts, found, strict=True)
    }
    return Seen(unknown=unknown, **known)


async def figures(service: Served) -> Figures:
    """What is sampled: the figures behind the lines of the last hour.

    Events are not counted for them: where the server cannot, this process would read them all.
    """
    seen = await see(service, counted=False)
    lags = {f"lag of {lag.build.table}": lag.seconds for lag in seen.lags or ()}
    return {"rate": seen.rate, **{name: _count(seen, name) for name in _COUNTS}, **lags}


_COUNTS: Final = ("parked", "open", "stuck")


def _count(seen: Seen, name: str) -> int | None:
    if name == "parked":
        return None if seen.parked is None else sum(len(of.parked.held) for of in seen.parked)
    if seen.sagas is None:
        return None
    if name == "open":
        return sum(sum(of.counts.at_work.values()) + of.counts.failed for of in seen.sagas)
    return sum(of.stuck + of.counts.overdue + of.counts.failed for of in seen.sagas)


@dataclass(frozen=True)
class _Unknown:
    why: str


async def _known(part: Awaitable[Any]) -> Any:
    try:
        return await asyncio.wait_for(part, PATIENCE)
    except (StoreUnavailable, NotBuilt, StreamUnusable) as error:
        return _Unknown(str(error))
    except TimeoutError:
        return _Unknown(f"no answer within {PATIENCE:g} s")


# only: bus
async def _on_bus(service: Served) -> ForwarderStanding | None:
    bus = service.bus()
    return await bus.standing() if bus and service.program.service.publishes else None


# end: bus
def _wrong(seen: Seen) -> Sequence[Wrong]:
    """All that is wrong, what is worst first."""
    found = [Wrong(f"{name} unknown", why, HOME) for name, why in seen.unknown.items()]
    found += [*_failed_checks(seen), *_bad_builds(seen), *_parked(seen), *_bad_sagas(seen)]
    if seen.bus and seen.bus.failure:  # only: bus
        found.append(Wrong("forwarder", seen.bus.failure, HOME))  # only: bus
    return sorted(found, key=lambda one: one.tone)


def _failed_checks(seen: Seen) -> Iterator[Wrong]:
    """Those of this process, but of no read model: its builds say more."""
    builds = {lag.build.name for lag in seen.lags or ()}
    for name, why in (seen.readiness.checks if seen.readiness else {}).items():
        if why != "ok" and name not in builds:
            yield Wrong(name, why, HOME)


def _bad_builds(seen: Seen) -> Iterator[Wrong]:
    for lag in seen.lags or ():
        bad = lag.failed or lag.breached
        if bad or lag.paused:
            at = f"{HOME}/read-models/{lag.build.name}"
            yield Wrong(lag.build.table, lag.state, at, "bad" if bad else "warn")


def _parked(seen: Seen) -> Iterator[Wrong]:
    for of in seen.parked or ():
        if number := len(of.parked.held):
            first = len(of.parked.streams)
            words = f"{first:,} {'event' if first == 1 else 'events'} parked"
            behind = f", {number - first:,} waiting behind {'it' if first == 1 else 'them'}"
            why = words + (behind if number > first else "")
            yield Wrong(of.group, why, f"{HOME}/parked?group={of.group}")


def _bad_sagas(seen: Seen) -> Iterator[Wrong]:
    for one in seen.sagas or ():
        numbers = {"failed": one.counts.failed, "stuck": one.stuck, "overdue": one.counts.overdue}
        for which, number in numbers.items():
            if number:
                at = f"{HOME}/sagas?which={which}&of={one.name}"
                what = "saga" if number == 1 else "sagas"
                yield Wrong(one.name, f"{number:,} {what} {which}", at)
