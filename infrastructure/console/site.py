"""The console as a part of the HTTP application: its sections, assets, headers and error pages."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from application.ending import end
from infrastructure import system_map
from infrastructure.console import (
    act,
    audit,
    browsing,
    by_provider,
    correlation,
    log_in,
    map_page,
    overview,
    parked,
    read_models,
    sagas,
)
from infrastructure.console.live import Pace
from infrastructure.console.problem_pages import ProblemPages
from infrastructure.console.rendering import Renderer
from infrastructure.console.routing import (
    NotFound,
    NotLoggedIn,
    PageRoute,
    explained,
)
from infrastructure.console.sampling import Samples, sample
from infrastructure.console.section import HOME, Section, require_apart
from infrastructure.console.sessions import Sessions
from infrastructure.console.visit import Visiting, require_rules
from infrastructure.http.served import Served
from infrastructure.program import Program
from infrastructure.settings import Settings

SECTIONS: Final[Sequence[Section]] = (
    overview.SECTION,
    read_models.SECTION,
    parked.SECTION,
    sagas.SECTION,
    browsing.SECTION,
    browsing.EVENTS,
    correlation.SECTION,
    map_page.SECTION,
    audit.SECTION,
)
"""The pages of the kit. Those of a service come after the first one."""
ASSETS: Final[Mapping[str, str]] = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def _assets() -> Mapping[str, tuple[bytes, str]]:
    """By a path that changes with the content, so that a browser may keep it."""
    found: dict[str, tuple[bytes, str]] = {}
    for name, kind in ASSETS.items():
        content = Path(__file__).with_name("assets").joinpath(name).read_bytes()
        if name.endswith(".css"):
            content += system_map.STYLE.encode()
        digest = hashlib.sha256(content).hexdigest()[:12]
        found[f"{HOME}/assets/{digest}/{name}"] = (content, kind)
    return found


@dataclass
class Site:
    """The console of one process."""

    program: Program[Any]
    settings: Settings
    sections: Sequence[Section]
    pace: Pace = field(default_factory=Pace)
    open_streams: int = 0
    work: set[asyncio.Task[Any]] = field(default_factory=set)
    """Actions that are under way in this process."""
    samples: Samples = field(default_factory=Samples)
    assets: Mapping[str, tuple[bytes, str]] = field(default_factory=_assets)

    def __post_init__(self) -> None:
        require_apart(self.sections)
        self.sessions = Sessions(self.settings)
        self.client = by_provider.client_of(self.settings)

    @property
    def routers(self) -> Sequence[APIRouter]:
        """Of all pages; the last one is for all other paths."""
        own = (section.router for section in self.sections)
        return (*own, log_in.router, by_provider.router, act.router, _elsewhere)

    @cached_property
    def renderer(self) -> Renderer:
        """Made when the first page is: it takes its time."""
        directories = [one.templates for one in self.sections if one.templates]
        paths = {path.rpartition("/")[2]: path for path in self.assets}
        shared = {"program": self.program, "assets": paths, "home": HOME}
        personal = self.program.service.personal
        return Renderer([*dict.fromkeys(directories)], shared, personal)

    @asynccontextmanager
    async def at_work(self, service: Callable[[], Served]) -> AsyncIterator[None]:
        """Take samples of this service as long as the block lasts.

        In the end, actions that are under way are broken off: they record that.
        """
        task = asyncio.create_task(sample(self.samples, lambda: overview.figures(service())))
        try:
            yield
        finally:
            await end([task, *self.work])

    def keep(self, work: asyncio.Task[Any]) -> None:
        """Go on with an action whether or not its page waits."""
        self.work.add(work)
        work.add_done_callback(self.work.discard)

    def headed(self, response: Response) -> Response:
        """With the headers that every answer of the console has."""
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def without_session(self, request: Request, error: NotLoggedIn) -> Response:
        """A page leads to the log-in and back; a stream or a form cannot."""
        if request.method != "GET" or "text/event-stream" in request.headers.get("accept", ""):
            return self.failed(error, HTTPStatus.UNAUTHORIZED)
        path, query = request.url.path, request.url.query
        to = f"{path}?{query}" if query else path
        return RedirectResponse(f"{HOME}/log-in?{urlencode({'to': to})}", HTTPStatus.SEE_OTHER)

    def failed(self, error: Exception, status: int) -> Response:
        """The page for an error."""
        return self.refused(explained(error), status)

    def refused(self, why: str, status: int) -> Response:
        """The page that says why there is no other."""
        values = {"status": status, "phrase": HTTPStatus(status).phrase, "why": why}
        page = self.renderer.page("error.html", {**values, "sections": self.sections})
        return HTMLResponse(page.html, status)


def install(app: FastAPI, program: Program[Any], settings: Settings) -> Site:
    """Serve the console of this service, and lead browsers from ``/`` to it."""
    first, *others = SECTIONS
    site = Site(program, settings, (first, *program.pages(), *others))
    app.state.console = site
    require_rules(site.routers)
    for path in site.assets:
        app.add_api_route(path, _asset, include_in_schema=False)
    for router in site.routers:
        app.include_router(router)
    app.add_middleware(Leading)
    return site


def answer_in_pages(app: FastAPI) -> None:
    """Show what is refused before a page is looked for as a page, too.

    Only what was added to ``app`` before: to be called last.
    """
    site: Site = app.state.console
    app.add_middleware(
        ProblemPages, make=lambda why, status: site.headed(site.refused(why, status))
    )


_elsewhere = APIRouter(route_class=PageRoute, prefix=HOME, include_in_schema=False)


@_elsewhere.get("/{path:path}", response_model=None)
async def _nothing(path: str, _: Visiting) -> Response:
    raise NotFound(f"There is no page {HOME}/{path}.")


async def _asset(request: Request) -> Response:
    site: Site = request.app.state.console
    content, kind = site.assets[request.url.path]
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return site.headed(Response(content, media_type=kind, headers=kept))


class Leading:
    """Leads a browser from ``/`` to the console. Other clients get what they got without it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: ASGIApp = self._app
        if scope["type"] == "http" and scope["path"] == "/" and _shows_pages(scope):
            answer = RedirectResponse(HOME, HTTPStatus.SEE_OTHER, {"Vary": "Accept"})
        await answer(scope, receive, send)


def _shows_pages(scope: Scope) -> bool:
    is_read = scope["method"] in ("GET", "HEAD")
    return is_read and "text/html" in Headers(scope=scope).get("accept", "")
