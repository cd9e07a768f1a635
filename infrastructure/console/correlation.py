"""Everything that one request has set off, as a tree with times."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import RedirectResponse

from application.browsing.places import NothingFound
from application.browsing.trace import trace
from infrastructure.console.routing import NotFound
from infrastructure.console.section import HOME, Section
from infrastructure.console.visit import Visiting
from infrastructure.http.served import Served

SECTION: Final = Section("Trace", "/trace", "c")


@SECTION.get()
async def ask(visit: Visiting, of: str = "") -> Response:
    if of.strip():
        return RedirectResponse(f"{HOME}/trace/{quote(of.strip(), safe='')}", 303)

    async def look() -> Mapping[str, Any]:
        return {"of": of, "found": None}

    return await visit.page("trace.html", look)


@SECTION.get("/{of:path}")
async def one_trace(visit: Visiting, of: str) -> Response:
    return await visit.page("trace.html", partial(_look, visit.service, of))


async def _look(service: Served, of: str) -> Mapping[str, Any]:
    try:
        found = await trace(service.looking, of)
    except NothingFound as error:
        raise NotFound(f"{error}.") from error
    traced = found.traceparent.split("-")[1] if found.traceparent else None
    at = service.settings.trace_uri
    return {
        "of": of,
        "found": found,
        "trace_id": traced,
        "elsewhere": f"{at}{traced}" if at and traced else None,
    }
