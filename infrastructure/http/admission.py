"""What is required of a request before its route does anything: the caller may, the query is known.

It stands in front of the route. As dependencies of FastAPI's, both cost each request as much as
deciding on an order, and a body was parsed before its sender was refused.
"""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from application.access import Unruled
from infrastructure.http.access import rule_of
from infrastructure.http.text import understood


def admitting(router: APIRouter) -> Sequence[APIRoute]:
    """The routes of this router, each behind its rule, also when called again.

    Raises :class:`~application.access.Unruled` for a route without a rule, and for what is not a
    route of FastAPI's: a router in the router, or a mounted application.
    """
    return [_admitting(route) for route in router.routes]


def _admitting(route: object) -> APIRoute:
    if not isinstance(route, APIRoute):
        raise Unruled(f"{route!r} has no rule: name each router of the service by itself")
    if not isinstance(route.app, _Admission):
        route.app = _Admission(route)
    return route


class _Admission:
    """Passes on what the rule of a route admits."""

    def __init__(self, route: APIRoute) -> None:
        """Raises :class:`~application.access.Unruled`."""
        self._rule, self._app = rule_of(route), route.app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises ``Unidentified``, ``Forbidden`` and ``RequestValidationError``."""
        self._rule.require(scope["state"]["caller"])
        if scope["query_string"]:
            await understood(Request(scope))
        await self._app(scope, receive, send)
