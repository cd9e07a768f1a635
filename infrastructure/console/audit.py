"""What operators have done, newest first, and one action in full."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from uuid import UUID

from fastapi import Response

from application.operating.trail import OUTCOMES, WantedActions, recorded, trail
from application.ports import Reading
from infrastructure.console.listing import pages, within
from infrastructure.console.routing import BadAddress, NotFound, understood_place
from infrastructure.console.section import Section
from infrastructure.console.visit import Visiting
from infrastructure.http.served import Served

SECTION: Final = Section("Audit", "/audit", "u")


@SECTION.get()
async def actions(
    visit: Visiting,
    since: str = "",
    until: str = "",
    outcome: str = "",
    by: str = "",
    after: str | None = None,
) -> Response:
    asked = {"since": since, "until": until, "outcome": outcome, "by": by.strip()}
    _wanted(asked)
    return await visit.page("audit.html", partial(_look, visit.service, asked, after))


def _wanted(asked: Mapping[str, str]) -> WantedActions:
    began = within(asked["since"], asked["until"])
    try:
        return WantedActions(began, asked["outcome"] or None, asked["by"] or None)
    except ValueError as error:
        raise BadAddress(str(error)) from error


async def _look(service: Served, asked: Mapping[str, str], after: str | None) -> Mapping[str, Any]:
    wanted = _wanted(asked)
    with understood_place():
        found = await trail(service.browser, service.event_store, Reading(after=after), wanted)
    reached = found.reached if found.more else None
    return {
        **asked,
        "asked": any(asked.values()),
        "outcomes": OUTCOMES,
        "found": found,
        "operations": found.items,
        **pages(SECTION.url, asked, reached, first=after is None),
    }


@SECTION.get("/{id}")
async def one_action(visit: Visiting, id: str) -> Response:
    return await visit.page("operation.html", partial(_operation, visit.service, id))


async def _operation(service: Served, id: str) -> Mapping[str, Any]:
    try:
        found = await recorded(service.event_store, UUID(id))
    except ValueError:
        found = None
    if found is None:
        raise NotFound(f"There is no action {id}.")
    progress = await _progress(service, found.begun.action, found.begun.target)
    return {"one": found, "progress": progress}


async def _progress(service: Served, action: str, target: str) -> Any:
    """How the builds of a read model stand that is being deployed."""
    if not action.startswith("read-model"):
        return []
    lags = await service.lags.counted() if action.endswith("deploy") else await service.lags.all()
    return [lag for lag in lags if target.startswith(lag.build.name)]
