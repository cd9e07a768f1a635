"""One request for a page: who sent it, and how it is answered."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from application.access import ANYBODY, Unruled
from application.operating.trail import recorded
from application.operating.unmasking import shows
from infrastructure.console.live import stream
from infrastructure.console.operators import Operator, Right, identified
from infrastructure.console.rendering import Rendered
from infrastructure.console.sessions import Session
from infrastructure.http.served import Served, served

if TYPE_CHECKING:
    from infrastructure.console.site import Site

Look = Callable[[], Awaitable[Mapping[str, Any]]]
"""Looks at the service, for the values of a template."""


@dataclass(frozen=True)
class Visit:
    """A request by an operator."""

    request: Request
    site: "Site"
    service: Served
    session: Session
    operator: Operator
    is_new: bool = False
    """Whether the browser has to be given its session."""

    async def page(self, template: str, look: Look, *, status: int = 200) -> Response:
        """The page, or the figures of it that change while it is open, for ever."""
        if "text/event-stream" in self.request.headers.get("accept", ""):
            return await stream(self, template, look)
        response = HTMLResponse((await self.rendered(template, look)).html, status)
        if self.is_new or self.site.sessions.is_due(self.session):
            self.site.sessions.keep(self.session, self.request, response)
        return response

    async def rendered(self, template: str, look: Look) -> Rendered:
        """The page as it is now."""
        return self.site.renderer.page(template, {**self._shared(), **await look()})

    async def sees(self, of: str, shown: str) -> bool:
        """Whether the personal data of ``of`` may be shown, by the action with that id."""
        try:
            id = UUID(shown)
        except ValueError:
            return False
        operation = await recorded(self.service.event_store, id)
        now = datetime.now(UTC)
        return shows(operation, of, self.operator.actor, now) is not None

    def _shared(self) -> Mapping[str, Any]:
        """What every template may use."""
        path = self.request.url.path
        sections = self.site.sections
        return {
            "visit": self,
            "sections": sections,
            "here": next((one for one in sections if one.holds(path)), None),
            "may_operate": self.operator.may(Right.OPERATE),
        }


async def visiting(request: Request) -> Visit:
    """Raises ``NotLoggedIn``, ``NotAllowed``."""
    site: Site = request.app.state.console
    service = served(request)
    known = site.sessions.of(request)
    session = known or Session.new()
    operator = identified(request, session, service.settings)
    operator.require(Right.SEE)
    if session.name is not None:
        service.callers.rate.take(operator.actor)
    return Visit(request, site, service, session, operator, is_new=known is None)


def require_rules(routers: Iterable[APIRouter]) -> None:
    """Raises ``Unruled`` for a page that is neither of a visit nor, as it says, for everybody."""
    for route in (one for router in routers for one in router.routes):
        assert isinstance(route, APIRoute)
        known = any(one.call is visiting for one in route.dependant.dependencies)
        if not known and getattr(route.endpoint, "rule", None) is not ANYBODY:
            raise Unruled(f"{route.path}: take a visit, or say @everybody")


Visiting = Annotated[Visit, Depends(visiting)]
