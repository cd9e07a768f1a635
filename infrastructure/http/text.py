"""The text of a request: one rule for paths, queries and bodies.

Text is UTF-8 without U+0000, and is read in its composed form (NFC; see
:func:`domain.values.normal`). A query has known parameters only, each once.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote_to_bytes, urlencode

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, model_validator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.values import normal
from infrastructure.http.problems import FieldProblem, answer, invalid

F = TypeVar("F", bound=Callable[..., Any])
_MOST = 50  # parameters of a query, fields of an object


class Body(BaseModel):
    """A body. Unknown fields are refused, so a misspelt one has no effect."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _composed(cls, content: Any) -> Any:
        """Compose all texts. Invalid characters are left to the type of a field, which names it."""
        if not isinstance(content, dict):
            return content
        if len(content) > _MOST:  # else each is an error of its own, and a megabyte holds many
            raise ValueError(f"an object has {_MOST} fields at most")
        return {name: _normal_or_as_is(value) for name, value in content.items()}


class Readable:
    """Passes on requests whose text is valid, with path and query in composed form."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wrong: list[FieldProblem] = []
        path = _read(scope.get("raw_path") or scope["path"].encode(), wrong)
        query = _query(scope["query_string"], wrong)
        if wrong:
            await answer(invalid(wrong))(scope, receive, send)
            return
        scope.update(path=path, query_string=query)
        await self._app(scope, receive, send)


class Headed:
    """Answers HEAD wherever GET is answered, in the same way and without a body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            body = {"body": b""} if message["type"] == "http.response.body" else {}
            await send({**message, **body})

        got = {**scope, "method": "GET"}
        await self._app(got, receive, without_body)
        scope["route"] = got.get("route")


async def understood(request: Request) -> None:
    """For every route: refuses unknown parameters of the query, and those that are sent twice."""
    if not request.scope["query_string"]:
        return
    route = request.scope["route"]
    if getattr(getattr(route, "endpoint", None), "takes_others", False):
        return
    dependant = route.dependant if isinstance(route, APIRoute) else Dependant()
    given = Counter(name for name, _ in request.query_params.multi_items())
    if wrong := [*_misunderstood(given, list(_known(dependant)))]:
        raise RequestValidationError(wrong)


def takes_others(route: F) -> F:
    """The query of this route is made by another system, which may add parameters."""
    vars(route)["takes_others"] = True
    return route


def _known(needed: Dependant) -> Iterator[str]:
    """The parameters of the query that a route declares, or something that it needs."""
    yield from (field.alias for field in needed.query_params)
    for below in needed.dependencies:
        yield from _known(below)


def _misunderstood(given: Mapping[str, int], known: Sequence[str]) -> Iterator[dict[str, Any]]:
    there = f"there are {', '.join(known)}" if known else "there are none"
    for name, times in given.items():
        if name not in known:
            yield _error(name, f"there is no such parameter: {there}")
        elif times > 1:
            yield _error(name, f"it stands there {times} times: send it once")


def _error(name: str, reason: str) -> dict[str, Any]:
    return {"type": "value_error", "loc": ("query", name), "msg": reason, "input": None}


def _read(raw: bytes, wrong: list[FieldProblem]) -> str:
    try:
        return normal(unquote_to_bytes(raw).decode())
    except ValueError as error:
        wrong.append(FieldProblem(field="path", problem=_why(error)))
        return ""


def _query(raw: bytes, wrong: list[FieldProblem]) -> bytes:
    return urlencode(list(_parameters(raw, wrong))).encode() if raw else raw


def _parameters(raw: bytes, wrong: list[FieldProblem]) -> Iterator[tuple[str, str]]:
    try:
        found = parse_qsl(
            raw.decode("latin-1"), keep_blank_values=True, encoding="latin-1", max_num_fields=_MOST
        )
    except ValueError:
        wrong.append(FieldProblem(field="query", problem=f"it has {_MOST} parameters at most"))
        return
    for name, value in found:
        try:
            yield normal(name.encode("latin-1").decode()), normal(value.encode("latin-1").decode())
        except ValueError as error:
            wrong.append(FieldProblem(field=f"query.{name}", problem=_why(error)))


def _why(error: ValueError) -> str:
    return "it is not UTF-8" if isinstance(error, UnicodeError) else str(error)


def _normal_or_as_is(value: Any) -> Any:
    """Text, and each text of a list; objects in it see to their own."""
    if isinstance(value, list):
        return [_normal_or_as_is(item) if isinstance(item, str) else item for item in value]
    try:
        return normal(value) if isinstance(value, str) else value
    except ValueError:
        return value
