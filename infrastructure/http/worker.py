"""What a process without the API answers: liveness, readiness and metrics.

Plain ASGI: such a process starts without the framework of the API.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from hmac import compare_digest
from http import HTTPStatus
from typing import Any, Final

from infrastructure.exposition import CONTENT_TYPE, Exposition
from infrastructure.health import Health
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


def worker_app(health: Health, exposition: Exposition, settings: Settings, roles: str) -> App:
    """The application of a process with these ``roles``, which are named where it has no path."""
    token = settings.api_token and settings.api_token.get_secret_value()

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
        if token and not compare_digest(_authorization(scope), f"Bearer {token}".encode()):
            return _problem(HTTPStatus.UNAUTHORIZED, _NO_TOKEN, {"WWW-Authenticate": "Bearer"})
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


def _authorization(scope: Scope) -> bytes:
    headers: Mapping[bytes, bytes] = dict(scope["headers"])
    return headers.get(b"authorization", b"")


_PATHS: Final = ("/health/live", "/health/ready", "/metrics")
_LISTED: Final = f"{', '.join(_PATHS[:-1])} and {_PATHS[-1]}"
_NO_TOKEN: Final = "send the header Authorization: Bearer <token>, with the API token"
