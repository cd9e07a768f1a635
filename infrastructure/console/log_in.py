"""Log in with a token and a name, which is recorded with every action; and log out.

Where the settings name a client of an identity provider, people log in there, and only there.
"""

from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from application.access import Caller, IdentityUnavailable, TooManyRequests, Unidentified
from infrastructure.console.forms import Sent
from infrastructure.console.operators import rights_of
from infrastructure.console.routing import BadForm, PageRoute
from infrastructure.console.section import HOME
from infrastructure.console.sessions import Session
from infrastructure.http.access import everybody
from infrastructure.http.middleware import address_of
from infrastructure.http.served import served
from infrastructure.oidc import Client

router = APIRouter(route_class=PageRoute, prefix=HOME, include_in_schema=False)
_LONGEST: Final = 64


@router.get("/log-in", response_model=None)
@everybody
async def ask(request: Request, to: str = HOME) -> Response:
    """The form. Where callers need no token, there is nothing to log in to."""
    site = request.app.state.console
    if not site.settings.identifies:
        return RedirectResponse(within(to), HTTPStatus.SEE_OTHER)
    return form(request, to)


@router.post("/log-in", response_model=None)
@everybody
async def log_in(request: Request, sent: Sent) -> Response:
    """Begin a session, if the token is one that the API takes, of an operator or an auditor."""
    service = served(request)
    if not service.settings.identifies or service.settings.log_in_issuer:
        raise BadForm("there is nothing here to log in to with a token")
    name, to = sent.get("name", "").strip(), sent.get("to", HOME)
    if not name or len(name) > _LONGEST or not name.isprintable():
        return form(request, to, f"Give your name, of at most {_LONGEST} characters.", name)
    try:
        given = f"Bearer {sent.get('token', '').strip()}"
        caller = await service.callers.of(given, address_of(request.scope))
    except TooManyRequests as error:
        return wait(request, to, error)
    except Unidentified as error:
        return form(request, to, f"That token cannot be used: {error}.", name)
    session = Session.new(name, caller.roles, _actor(name, caller))
    if not rights_of(session):
        return form(request, to, "That token has neither the role operator nor auditor.", name)
    return begun(request, session, to)


def begun(request: Request, session: Session, to: str) -> Response:
    """Lead on to that page, in a new session: none that was there before log-in lives on."""
    response = RedirectResponse(within(to), HTTPStatus.SEE_OTHER)
    request.app.state.console.sessions.keep(session, request, response)
    return response


def _actor(name: str, caller: Caller) -> str:
    """Several people may hold one token, so their name stands there, too."""
    return f"{caller.actor} as {name}" if caller.subject is None else caller.actor


@router.post("/log-out", response_model=None)
@everybody
async def log_out(request: Request, _: Sent) -> Response:
    """End the session, and then that with the provider."""
    site = request.app.state.console
    session = site.sessions.of(request)
    at = await _at_provider(site.client) if session and session.by_provider else None
    if at is None:
        response: Response = RedirectResponse(f"{HOME}/log-in", HTTPStatus.SEE_OTHER)
    else:  # as a page: after a form, a browser is led to no other site
        values = {"to": at, "title": "Log out at the identity provider", "sections": ()}
        response = HTMLResponse(site.renderer.page("continue.html", values).html)
    site.sessions.end(session, request, response)
    return response


def wait(request: Request, to: str, error: TooManyRequests) -> Response:
    """The page of the log-in, which says how long to wait."""
    why = f"Wait {error.retry_after} seconds: {error}."
    response = form(request, to, why, status=HTTPStatus.TOO_MANY_REQUESTS)
    response.headers["Retry-After"] = str(error.retry_after)
    return response


async def _at_provider(client: Client | None) -> str | None:
    """Where its session is ended, too. The session here ends whether or not it answers."""
    try:
        return await client.log_out_address() if client else None
    except IdentityUnavailable:
        return None


def form(
    request: Request, to: str, wrong: str = "", name: str = "", status: HTTPStatus | None = None
) -> Response:
    """The page of the log-in, with a session of its own, so that no other site can send it."""
    site = request.app.state.console
    session = site.sessions.of(request) or Session.new()
    values = {"to": within(to), "wrong": wrong, "name": name, "form_token": session.form_token}
    values |= {"issuer": site.settings.log_in_issuer, "sections": ()}
    html = site.renderer.page("log_in.html", values).html
    response = HTMLResponse(html, status or (HTTPStatus.UNAUTHORIZED if wrong else HTTPStatus.OK))
    site.sessions.keep(session, request, response)
    return response


def within(path: str) -> str:
    """Only to pages of the console: a link could lead elsewhere."""
    return path if path == HOME or path.startswith((f"{HOME}/", f"{HOME}?")) else HOME
