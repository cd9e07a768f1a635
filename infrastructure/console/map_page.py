"""The map of the service, as it is declared."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from fastapi import Response
from markupsafe import Markup

from application.system_map import system_map
from infrastructure import system_map as drawn
from infrastructure.console.section import HOME, Section
from infrastructure.console.visit import Visiting
from infrastructure.program import Program

SECTION: Final = Section("Map", "/map", "m")


@SECTION.get()
async def show(visit: Visiting) -> Response:
    program, sections = visit.service.program, {one.path for one in visit.site.sections}

    async def look() -> Mapping[str, Any]:
        return _look(program, sections)

    return await visit.page("map.html", look)


def _look(program: Program[Any], sections: set[str]) -> Mapping[str, Any]:
    of = system_map(program.service)

    def link(kind: str, name: str) -> str | None:
        path, query = _PAGES.get(kind, ("", ""))
        return f"{HOME}{path}{query}{quote(name)}" if path in sections and path else None

    return {"map": of, "drawing": Markup(drawn.drawing(of, link)), "link": link}


_PAGES: Final = {
    "category": ("/streams", "?category="),
    "read model": ("/read-models", "/"),
    "saga": ("/sagas", "?of="),
    "reaction": ("/parked", "?group="),
}
"""Where the page of each kind of thing is, and how it finds one."""
