"""Streams and events: found by name, category or type; one stream, and one event whole."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import RedirectResponse

from application.browsing.explained import explained
from application.browsing.filtered import events_within, streams_within
from application.browsing.history import history
from application.browsing.places import (
    NothingFound,
    as_id,
    event_named,
    stream_named,
)
from application.category import split
from application.ports import Reading, Wanted
from infrastructure.console.listing import pages, within
from infrastructure.console.routing import NotFound, understood_place
from infrastructure.console.section import HOME, Section
from infrastructure.console.visit import Visit, Visiting
from infrastructure.http.served import Served

SECTION: Final = Section("Streams", "/streams", "t")
EVENTS: Final = Section("Events", "/events", "e")
STATES: Final = 25
"""Events of a history with states on one page: each state is shown whole."""


@SECTION.get()
async def streams(
    visit: Visiting,
    find: str = "",
    category: str = "",
    order: str = "changed",
    since: str = "",
    until: str = "",
    after: str | None = None,
) -> Response:
    """Recently changed ones, or all in the order of their beginnings; ``find`` goes to one."""
    if find and (led := await _led(visit.service, find.strip())):
        return RedirectResponse(led, 303)
    within(since, until)
    asked = {"category": category, "order": order, "since": since, "until": until}
    look = partial(_streams, visit.service, {"find": find.strip(), **asked}, after)
    return await visit.page("streams.html", look)


async def _led(service: Served, find: str) -> str | None:
    """The page of what is called so exactly: a stream, an aggregate by its id, an event."""
    if "@" in find or as_id(find):
        try:
            found = await event_named(service.browser, find)
        except NothingFound:
            pass
        else:
            return f"{HOME}/events/{found.id}"
    if stream := await stream_named(service.looking, find):
        return f"{HOME}/streams/{quote(stream, safe='')}"
    return None


async def _streams(
    service: Served, asked: Mapping[str, str], after: str | None
) -> Mapping[str, Any]:
    by_name = asked["find"] or asked["order"] == "name"
    prefix, category = asked["find"] if by_name else None, asked["category"] or None
    changed = within(asked["since"], asked["until"])
    with understood_place():
        found = await streams_within(
            service.browser, category, prefix, changed, Reading(after=after)
        )
    return {**_page(SECTION.url, asked, found, after), "categories": _categories(service)}


@SECTION.get("/{name:path}")
async def stream(
    visit: Visiting, name: str, states: str = "", after: str | None = None, shown: str = ""
) -> Response:
    if states:
        return await visit.page("history.html", partial(_history, visit, name, after, shown))
    return await visit.page("stream.html", partial(_stream, visit.service, name, after))


async def _stream(service: Served, name: str, after: str | None) -> Mapping[str, Any]:
    with understood_place():
        found = await service.browser.stream(name, Reading(after=after))
    if not found.items and after is None:
        why = "".join(f" {one}." for one in found.lacks)
        raise NotFound(f"There is no stream {name}, or it has no events.{why}")
    at, (category, id) = f"{HOME}/streams/{quote(name, safe='')}", split(name)
    saga = category in service.program.service.versions
    return {
        **_page(at, {}, found, after),
        "name": name,
        "saga": f"{HOME}/sagas/{category}/{quote(id, safe='')}" if saga else None,
    }


async def _history(visit: Visit, name: str, after: str | None, shown: str) -> Mapping[str, Any]:
    with understood_place():
        first = int(after) + 1 if after else 0
    try:
        found = await history(visit.service.looking, name, first=first, limit=STATES)
    except NothingFound as error:
        raise NotFound(f"{error}.") from error
    last = found.changes[-1].recorded.version if found.changes else None
    at = f"{HOME}/streams/{quote(name, safe='')}"
    return {
        "name": name,
        "found": found,
        "following": f"{at}?states=yes&after={last}" if found.more and last is not None else None,
        "after": after,
        "unmasked": await visit.sees(name, shown),
    }


@EVENTS.get()
async def events(
    visit: Visiting,
    category: str = "",
    type: str = "",
    since: str = "",
    until: str = "",
    after: str | None = None,
) -> Response:
    within(since, until)
    asked = {"category": category, "type": type, "since": since, "until": until}
    return await visit.page("events.html", partial(_events, visit.service, asked, after))


async def _events(
    service: Served, asked: Mapping[str, str], after: str | None
) -> Mapping[str, Any]:
    wanted = Wanted(category=asked["category"] or None, type=asked["type"] or None)
    recorded = within(asked["since"], asked["until"])
    with understood_place():
        found = await events_within(service.browser, wanted, recorded, Reading(after=after))
    return {
        **_page(EVENTS.url, asked, found, after),
        "categories": _categories(service),
        "types": sorted(service.program.service.catalogue.events),
    }


@EVENTS.get("/{name:path}")
async def event(visit: Visiting, name: str, shown: str = "") -> Response:
    return await visit.page("event.html", partial(_event, visit, name, shown))


async def _event(visit: Visit, name: str, shown: str) -> Mapping[str, Any]:
    place = visit.service.looking
    try:
        recorded = await event_named(place.browser, name)
    except NothingFound as error:
        raise NotFound(f"{error}.") from error
    one = await explained(place, recorded)
    of = f"{recorded.stream}@{recorded.version}"
    return {"one": one, "recorded": recorded, "of": of, "unmasked": await visit.sees(of, shown)}


def _categories(service: Served) -> list[str]:
    return sorted(service.program.service.catalogue.names)


def _page(at: str, given: Mapping[str, str], found: Any, after: str | None) -> dict[str, Any]:
    """A page of a list, and the addresses of the next and the first one."""
    reached = found.reached if found.more else None
    return {
        **given,
        "rows": found.items,
        "total": found.total,
        "lacks": found.lacks,
        **pages(at, given, reached, first=after is None),
    }
