"""Log in at an identity provider, by authorization code with PKCE."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from application.access import IdentityUnavailable, TooManyRequests
from infrastructure.console.log_in import begun, form, wait
from infrastructure.console.operators import rights_of
from infrastructure.console.routing import NotFound, PageRoute
from infrastructure.console.section import HOME
from infrastructure.console.sessions import Session
from infrastructure.http.access import everybody
from infrastructure.http.middleware import address_of
from infrastructure.http.served import served
from infrastructure.http.text import takes_others
from infrastructure.identity.signed import caller_of
from infrastructure.oidc import Attempt, Client, LogInRefused, Provider, Subject
from infrastructure.settings import Settings

log = structlog.stdlib.get_logger(__name__)

router = APIRouter(route_class=PageRoute, prefix=f"{HOME}/log-in", include_in_schema=False)
CALLBACK: Final = f"{HOME}/log-in/callback"
_NAMES: Final = ("preferred_username", "email", "name")
_LONGEST: Final = 64
_AWAY: Final = "The identity provider does not answer: try again in a moment."


def client_of(settings: Settings) -> Client | None:
    """The client that the settings name. Opens nothing."""
    if settings.log_in_issuer is None:
        return None
    assert settings.console_client_id is not None  # the settings require both
    secret = settings.console_client_secret
    return Client(
        Provider(settings.log_in_issuer),
        settings.console_client_id,
        secret.get_secret_value() if secret else None,
        f"{settings.console_origin}{CALLBACK}",
    )


@router.get("/provider", response_model=None)
@everybody
async def begin(request: Request, to: str = HOME) -> Response:
    """Lead the browser to the provider."""
    client, sessions = _client(request), request.app.state.console.sessions
    response = RedirectResponse("", HTTPStatus.SEE_OTHER)
    state = sessions.begin_log_in(request, response, to)
    try:
        address = await client.log_in_address(Attempt.of(sessions.cookies.key, state))
    except IdentityUnavailable as error:
        return _away(request, to, error)
    response.headers["Location"] = address
    return response


@router.get("/callback", response_model=None)
@everybody
@takes_others
async def come_back(request: Request) -> Response:
    """Begin a session for the person whom the provider names, if they have a role for that."""
    client, sessions = _client(request), request.app.state.console.sessions
    under_way = sessions.log_in_under_way(request) or {}
    to = str(under_way.get("to", HOME))
    try:
        with served(request).callers.attempts.tried(address_of(request.scope), "log-in"):
            found = await _subject(request, client, under_way)
    except TooManyRequests as error:
        response = wait(request, to, error)
    except LogInRefused as error:
        log.warning("a log-in was refused", reason=str(error))
        response = form(request, to, f"You are not logged in: {error}.")
    except IdentityUnavailable as error:
        response = _away(request, to, error)
    else:
        response = _welcomed(request, found, to)
    sessions.end_log_in(request, response)
    return response


async def _subject(request: Request, client: Client, under_way: Mapping[str, Any]) -> Subject:
    given = dict(request.query_params)
    if len(given) != len(request.query_params.multi_items()):
        raise LogInRefused("a part of the answer stands there twice")
    if not under_way:
        raise LogInRefused("no log-in is under way in this browser, or it has taken too long")
    key = request.app.state.console.sessions.cookies.key
    return await client.subject(Attempt.of(key, under_way["state"]), given)


def _welcomed(request: Request, subject: Subject, to: str) -> Response:
    settings = request.app.state.console.settings
    caller = caller_of(subject, settings.oidc_roles_claim)
    session = Session.new(_named(subject), caller.roles, caller.actor, by_provider=True)
    if not rights_of(session):
        log.warning("a log-in was refused", actor=caller.actor, reason="no role")
        why = f"{session.name} has neither the role operator nor auditor."
        return form(request, to, why, status=HTTPStatus.FORBIDDEN)
    log.info("a person has logged in", actor=caller.actor)
    return begun(request, session, to)


def _named(subject: Subject) -> str:
    """By the first name that the provider gives; it is shown, and ``actor`` is the truth."""
    given = (subject.claims.get(name) for name in _NAMES)
    fit = (one.strip() for one in given if isinstance(one, str) and one.isprintable())
    return next(filter(None, fit), subject.subject)[:_LONGEST].strip()


def _away(request: Request, to: str, error: IdentityUnavailable) -> Response:
    log.warning("nobody can log in", reason=str(error))
    return form(request, to, _AWAY, status=HTTPStatus.SERVICE_UNAVAILABLE)


def _client(request: Request) -> Client:
    client: Client | None = request.app.state.console.client
    if client is None:
        raise NotFound("No identity provider is set for the console.")
    return client
