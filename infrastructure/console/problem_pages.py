"""Refusals below the console as pages: a browser gets one wherever a request is refused.

What stands in front of the routes answers with problem documents: for a host name that is not
trusted, a body that is too large, a method that there is not. Other clients get these as they are.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from fastapi import Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infrastructure.console.section import HOME

_PROBLEM: Final = "application/problem+json"
_OF_THE_BODY: Final = frozenset({"content-type", "content-length"})


class ProblemPages:
    """Turns problem documents below the console into pages, which ``make`` makes."""

    def __init__(self, app: ASGIApp, make: Callable[[str, int], Response]) -> None:
        """``make(why, status)``: the page for an error."""
        self._app, self._make = app, make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _opens_a_page(scope):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def turned(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_problem(message):
                start = message
                return
            if start is None:
                await send(message)
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                await self._page(start, body)(scope, receive, send)

        await self._app(scope, receive, turned)

    def _page(self, start: Message, body: bytes) -> Response:
        problem: Mapping[str, Any] = json.loads(body) if body else {}
        page = self._make(" ".join(_lines(problem)), start["status"])
        for name, value in Headers(raw=start["headers"]).items():
            if name not in _OF_THE_BODY:
                page.headers[name] = value
        return page


def _opens_a_page(scope: Scope) -> bool:
    if scope["type"] != "http" or not _is_of_the_console(scope["path"]):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


def _is_of_the_console(path: str) -> bool:
    """``/`` leads to it."""
    return path in ("/", HOME) or path.startswith(f"{HOME}/")


def _is_problem(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith(_PROBLEM)


def _lines(problem: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong, and where: without a detail, the title says it."""
    yield f"{problem.get('detail') or problem.get('title', '')}."
    for error in problem.get("errors", ()):
        yield f"{error['field']}: {error['problem']}."
