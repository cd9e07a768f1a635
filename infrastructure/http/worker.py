"""What a process without the API answers: liveness, readiness and metrics.

Plain ASGI: such a process starts without the framework of the API.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from application.access import (
    METRICS,
    Forbidden,
    IdentityUnavailable,
    TooManyRequests,
    Unidentified,
)
from infrastructure.exposition import CONTENT_TYPE, Exposition
from infrastructure.health import Health
from infrastructure.identity import Callers
from infrastructure.settings import Settings
from infrastructure.web.hosts import Trusted, host

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]

_JSON: Final = "application/json"
_PROBLEM: Final = "application/problem+json"
_RETRY: Final = {"Retry-After": "1"}


@dataclass(frozen=True)
class Answer:
    """An answer over HTTP."""

    status: HTTPStatus
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    async def __call__(self, scope: Scope, _: Any, send: Any) -> None:
        """Send it."""
        length = str(len(self.body))
        named = {"Content-Type": self.content_type, "Content-Length": length, **self.headers}
        headers = [(name.lower().encode(), value.encode()) for name, value in named.items()]
        body = b"" if scope["method"] == "HEAD" else self.body
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def worker_app(
    health: Health, exposition: Exposition, callers: Callers, settings: Settings, roles: str
) -> App:
    """The application of a process with these ``roles``, which are named where it has no path."""

    async def answered(scope: Scope) -> Answer:
        if scope["path"] not in _PATHS:
            return _problem(HTTPStatus.NOT_FOUND, f"this process ({roles}) has {_LISTED} only")
        if scope["method"] not in ("GET", "HEAD"):
            return _problem(
                HTTPStatus.METHOD_NOT_ALLOWED, "use GET or HEAD", {"Allow": "GET, HEAD"}
            )
        match scope["path"]:
            case "/health/live":
                return _json({"status": "alive"})
            case "/health/ready":
                return await _ready(health)
        try:
            METRICS.require(await callers.of(_authorization(scope), _address(scope)))
        except Unidentified as error:
            return _problem(HTTPStatus.UNAUTHORIZED, str(error), {"WWW-Authenticate": "Bearer"})
        except Forbidden as error:
            return _problem(HTTPStatus.FORBIDDEN, str(error))
        except TooManyRequests as error:
            wait = {"Retry-After": str(error.retry_after)}
            return _problem(HTTPStatus.TOO_MANY_REQUESTS, str(error), wait)
        except IdentityUnavailable as error:
            return _problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), _RETRY)
        return Answer(HTTPStatus.OK, CONTENT_TYPE, await exposition.text())

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        answer = await answered(scope)
        await answer(scope, receive, send)

    async def refuse(scope: Scope, receive: Any, send: Any) -> None:
        setting = settings.name_of("trusted_hosts")
        detail = f"{host(scope)!r} is not a name of this service; {setting} lists its names"
        await _problem(HTTPStatus.BAD_REQUEST, detail)(scope, receive, send)

    return Trusted(app, names=settings.own_names, refusal=refuse)


async def _ready(health: Health) -> Answer:
    found = await health.readiness()
    if not found.wrong:
        return _json({"status": "ready", "checks": found.checks})
    return _problem(HTTPStatus.SERVICE_UNAVAILABLE, found.detail, _RETRY, checks=found.checks)


def _json(document: object) -> Answer:
    return Answer(HTTPStatus.OK, _JSON, json.dumps(document).encode())


def _problem(
    status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None, **more: object
) -> Answer:
    problem = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    return Answer(status, _PROBLEM, json.dumps({**problem, **more}).encode(), headers or {})


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _authorization(scope: Scope) -> str | None:
    headers: Mapping[bytes, bytes] = dict(scope["headers"])
    found = headers.get(b"authorization")
    return found.decode("latin-1") if found else None


_PATHS: Final = ("/health/live", "/health/ready", "/metrics")
_LISTED: Final = f"{', '.join(_PATHS[:-1])} and {_PATHS[-1]}"
