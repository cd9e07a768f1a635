"""What happens around every request: its correlation id, its log line and metrics, its limits.

Plain ASGI, so that the log context reaches the routes and an answer can be streamed.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from http import HTTPStatus
from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from application.access import IdentityUnavailable, TooManyRequests, Unidentified
from infrastructure.http.headers import first
from infrastructure.http.problems import Problem, answer, of_status
from infrastructure.identity import Callers, NotProven
from infrastructure.metrics import Metrics
from infrastructure.web.hosts import host

log = structlog.stdlib.get_logger(__name__)

LARGEST_BODY = 1024 * 1024  # bytes
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:~-]{1,128}")


class Observed:
    """Gives each request a correlation id, logs and measures it, and answers 500 to a bug."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics
        self._log = log.bind()  # once: finding out how to log takes as long as logging

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = first(scope, b"x-correlation-id")
        valid = given is None or _CORRELATION_ID.fullmatch(given)
        correlation_id = str(uuid4()) if given is None or not valid else given
        scope.setdefault("state", {})["correlation_id"] = correlation_id
        exchange = _Exchange(scope, correlation_id, send)
        bound = bind_contextvars(correlation_id=correlation_id)
        try:
            if valid:
                await self._app(scope, receive, exchange.send)
            else:
                await answer(_NO_CORRELATION_ID)(scope, receive, exchange.send)
        except Exception:
            log.exception("unexpected error", method=scope["method"], path=scope["path"])
            if exchange.status is not None:
                raise  # too late for another answer: let the server cut the connection
            await answer(_unexpected(correlation_id))(scope, receive, exchange.send)
        finally:
            self._tell(exchange)
            reset_contextvars(**bound)

    def _tell(self, exchange: "_Exchange") -> None:
        took, scope = (exchange.answered or time.perf_counter()) - exchange.began, exchange.scope
        route = getattr(
            scope.get("route"), "path", "(none)"
        )  # not the path: there is no limit to those
        status = exchange.status or 499  # the client went before it had an answer
        method = scope["method"] if scope["method"] in _METHODS else "(other)"
        self._metrics.requests.labels(method, route, status).observe(took)
        self._log.info(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=status,
            milliseconds=round(took * 1000, 1),
        )


class _Exchange:
    """One request and what has been answered so far."""

    def __init__(self, scope: Scope, correlation_id: str, send: Send) -> None:
        self.scope, self._correlation_id, self._send = scope, correlation_id, send
        self.began = time.perf_counter()
        self.status: int | None = None
        self.answered: float | None = None
        """When a stream of events began, which lasts as long as its client wants."""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Correlation-ID"] = self._correlation_id
            headers["X-Content-Type-Options"] = "nosniff"  # JSON with a customer's text is no page
            if headers.get("content-type", "").startswith("text/event-stream"):
                self.answered = time.perf_counter()
        await self._send(message)


class Identified:
    """Finds out who sends a request, and refuses it where that is not known.

    Except below ``/health/`` and ``apart``: the routes there require something of their own.
    ``/partner/`` is all below it, ``/partner`` is that path alone.
    """

    def __init__(self, app: ASGIApp, callers: Callers, apart: Sequence[str] = ()) -> None:
        self._app, self._callers = app, callers
        self._below = ("/health/", *(path for path in apart if path.endswith("/")))
        self._apart = frozenset(apart)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caller, refusal = None, None
        if not self._is_apart(scope["path"]):
            try:
                given = first(scope, b"authorization")
                caller = await self._callers.of(given, address_of(scope))
                if self._callers.kinds:
                    self._callers.rate.take(caller.actor)
            except TooManyRequests as error:
                refusal = too_many(error)
            except Unidentified as error:
                problem = of_status(HTTPStatus.UNAUTHORIZED, str(error))
                refusal = answer(problem, {"WWW-Authenticate": _challenge(error)})
            except IdentityUnavailable as error:
                log.warning("nobody can be identified", reason=str(error))
                refusal = answer(_UNKNOWABLE, {"Retry-After": "10"})
        scope.setdefault("state", {})["caller"] = caller
        await (refusal or self._app)(scope, receive, send)

    def _is_apart(self, path: str) -> bool:
        return path in self._apart or path.startswith(self._below)


def address_of(scope: Scope) -> str:
    """Where the request comes from; behind a proxy that is trusted, what it says about that."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def too_many(error: TooManyRequests) -> ASGIApp:
    """Answers that the caller has to wait."""
    problem = of_status(HTTPStatus.TOO_MANY_REQUESTS, str(error))
    return answer(problem, {"Retry-After": str(error.retry_after)})


def _challenge(error: Unidentified) -> str:
    """As RFC 6750 has it: with a reason only where a token was sent."""
    return 'Bearer error="invalid_token"' if isinstance(error, NotProven) else "Bearer"


class Limited:
    """Refuses a body above ``LARGEST_BODY``, whether or not its length was announced.

    Also one that is not complete within ``patience`` seconds.
    """

    def __init__(self, app: ASGIApp, patience: float = 30.0) -> None:
        self._app, self._patience = app, patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body: list[Message] = []
        announced = first(scope, b"content-length")
        size = int(announced or 0)  # the server enforces it
        try:
            async with asyncio.timeout(self._patience):
                while size <= LARGEST_BODY:
                    body.append(message := await receive())
                    size += 0 if announced else len(message.get("body", b""))
                    if not message.get("more_body"):
                        break
        except TimeoutError:
            await answer(_TOO_SLOW, {"Connection": "close"})(scope, receive, send)
            return
        if size > LARGEST_BODY:
            await answer(_TOO_LARGE, {"Connection": "close"})(scope, receive, send)
            return

        async def replay() -> Message:
            return body.pop(0) if body else await receive()

        await self._app(scope, replay, send)


def unknown_name(setting: str) -> ASGIApp:
    """Answers a request for a host name that is not in ``setting``."""

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        detail = f"{host(scope)!r} is not a name of this service; {setting} lists its names"
        await answer(of_status(HTTPStatus.BAD_REQUEST, detail))(scope, receive, send)

    return refuse


_NO_CORRELATION_ID = of_status(
    HTTPStatus.BAD_REQUEST,
    "X-Correlation-ID has to be 1 to 128 letters, digits or any of . _ : ~ -",
)
_UNKNOWABLE = of_status(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "who you are cannot be found out now: the identity provider does not answer",
)
_TOO_SLOW = of_status(HTTPStatus.REQUEST_TIMEOUT, "the body did not come in time: send it again")
_TOO_LARGE = of_status(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body may have {LARGEST_BODY:,} bytes"
)


def _unexpected(correlation_id: str) -> Problem:
    return of_status(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        f"this is a fault of the service; its log has it under correlation id {correlation_id}",
    )
