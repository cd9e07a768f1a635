"""Which roles each route needs: said at the route, required of each request.

    @router.post("/{order_id}/cancellation")
    @allowed(CLERK, own=[CUSTOMER])
    async def cancel_order(…)

A route without a rule is a fault of the program: the application is not made.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute

from application.access import ANYBODY, KNOWN, Caller, Reach, Role, Rule, Unidentified, Unruled
from infrastructure.http.problems import documented_status

F = TypeVar("F", bound=Callable[..., Any])


def allowed(*roles: Role, own: Sequence[Role] = ()) -> Callable[[F], F]:
    """Callers with one of these roles may; those of ``own`` with what is theirs alone.

    A route with ``own`` has to ask ``Rule.only_of``, as :data:`Only` does.
    """
    return ruled(Rule(roles, tuple(own)))


def everybody(route: F) -> F:
    """All callers may, also those without an identity."""
    return ruled(ANYBODY)(route)


def known_callers(route: F) -> F:
    """All callers may whose identity is known, whatever their roles."""
    return ruled(KNOWN)(route)


def ruled(rule: Rule) -> Callable[[F], F]:
    """What this rule says."""

    def declare(route: F) -> F:
        vars(route)["rule"] = rule
        return route

    return declare


def rules(routers: Iterable[APIRouter]) -> Iterator[tuple[APIRoute, Rule]]:
    """All routes with their rules. Raises :class:`Unruled`."""
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                yield route, rule_of(route)


def describe(router: APIRouter) -> None:
    """Describe who may use the routes of this router. Raises :class:`Unruled`."""
    for route, rule in rules([router]):
        if rule.reach is not Reach.ALL:
            refusals = {str(status): _refusal(status, rule) for status in _refusals(rule)}
            route.openapi_extra = {**(route.openapi_extra or {}), "responses": refusals}


def _refusals(rule: Rule) -> Sequence[HTTPStatus]:
    known = (HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS)
    return known if rule.reach is Reach.IDENTIFIED else (*known, HTTPStatus.FORBIDDEN)


def _refusal(status: HTTPStatus, rule: Rule) -> dict[str, Any]:
    named = [role.name for role in rule.roles]
    named += [f"{role.name} (their own)" for role in rule.own]
    needs = f": this needs the role {' or '.join(named)}" if status == HTTPStatus.FORBIDDEN else ""
    return {**documented_status(status), "description": status.phrase + needs}


def rule_of(route: APIRoute) -> Rule:
    """Raises :class:`Unruled`."""
    found = getattr(route.endpoint, "rule", None)
    if not isinstance(found, Rule):
        methods = ", ".join(sorted(route.methods or ()))
        raise Unruled(f"{methods} {route.path}: name the roles that may, with @allowed(…)")
    return found


def caller_of(request: Request) -> Caller:
    """Who has sent the request. Raises :class:`Unidentified` on a route that is open to all."""
    found: Caller | None = request.state.caller
    if found is None:
        raise Unidentified("say who you are")
    return found


def only_of(request: Request) -> str | None:
    """The subject whose things the caller is limited to; ``None``: no limit.

    Raises :class:`~application.access.Forbidden` and :class:`Unidentified`.
    """
    return rule_of(request.scope["route"]).only_of(caller_of(request))


async def _only(request: Request) -> str | None:
    return only_of(request)


Only = Annotated[str | None, Depends(_only)]
"""The subject whose things the caller is limited to; ``None``: no limit."""
