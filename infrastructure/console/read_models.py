"""The builds of read models: how far they are, what stops them, and how they differ."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final
from uuid import UUID

from fastapi import Response

from application.browsing.places import NothingFound, event_named
from application.messages import RecordedEvent
from application.ports import StoreUnavailable
from application.projections.builds import BuildStanding, Role
from application.projections.lag import Lag
from application.projections.operating import UnknownReadModel
from infrastructure.console.routing import NotFound
from infrastructure.console.section import Section
from infrastructure.console.visit import Visit, Visiting
from infrastructure.http.served import Served

SECTION: Final = Section("Read models", "/read-models", "r")


@SECTION.get()
async def read_models(visit: Visiting) -> Response:
    return await visit.page("read_models.html", partial(_look, visit.service))


@SECTION.get("/{name}")
async def read_model(visit: Visiting, name: str, shown: str = "") -> Response:
    return await visit.page("read_model.html", partial(_one, visit, name, shown))


@SECTION.get("/{name}/difference")
async def difference(visit: Visiting, name: str, views: str = "") -> Response:
    """The views of the live build beside those of the other one: all of both are read for it."""
    look = partial(_difference, visit.service, name, compares=bool(views))
    return await visit.page("difference.html", look)


async def _look(service: Served) -> Mapping[str, Any]:
    return {"lags": worst_first(await service.lags.counted())}


def worst_first(lags: Sequence[Lag]) -> Sequence[Lag]:
    return sorted(lags, key=lambda lag: (_wrong(lag), lag.build))


def _wrong(lag: Lag) -> int:
    return 0 if lag.failed else 1 if lag.breached else 2 if lag.paused or lag.seconds is None else 3


async def _one(visit: Visit, name: str, shown: str) -> Mapping[str, Any]:
    service = visit.service
    standings = await _standings(service, name)
    lags = {lag.build: lag for lag in await service.lags.counted()}
    newest = await service.operations.newest(name)
    return {
        "name": name,
        "builds": [(standing, lags[standing.build]) for standing in standings],
        "roles": {standing.role for standing in standings},
        "newest": newest,
        "stopped_at": await _stopped_at(service, standings),
        "unmasked": await visit.sees(f"read model {name}", shown),
        "actions": (await service.operations.actions(name))[:50],
        "skipped": [
            (standing.build, id, note)
            for standing in standings
            for id, note in (await service.builds.skipped(standing.build)).items()
        ],
    }


async def _stopped_at(
    service: Served, standings: Sequence[BuildStanding]
) -> Mapping[UUID, RecordedEvent]:
    """The events that runners stopped at, by id, without those that are gone."""
    failures = [one.failure for of in standings for one in of.shards if one.failure]
    found: dict[UUID, RecordedEvent] = {}
    for failure in failures:
        with suppress(NothingFound, StoreUnavailable):  # the error is shown all the same
            place = failure.event.partition(" ")[2]  # STREAM@VERSION: no store indexes ids alone
            found[failure.event_id] = await event_named(service.browser, place)
    return found


async def _difference(service: Served, name: str, *, compares: bool) -> Mapping[str, Any]:
    standings = await _standings(service, name)
    live = next((of.build for of in standings if of.role is Role.LIVE), None)
    other = next((of.build for of in standings if of.role is not Role.LIVE), None)
    if live is None or other is None:
        raise NotFound(f"{name} has one build only, so there is nothing to compare.")
    comparison = await service.read_models.compare(live, other) if compares else None
    standings = [of for of in standings if of.build in (live, other)]
    return {
        "name": name,
        "answers": live,
        "other": other,
        "comparison": comparison,
        "standings": standings,
    }


async def _standings(service: Served, name: str) -> Sequence[BuildStanding]:
    try:
        found = await service.operations.named(name)
    except UnknownReadModel as error:
        raise NotFound(f"{error}.") from error
    return [of for of in found if of.build.name == name]
