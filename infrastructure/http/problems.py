"""Every error as ``application/problem+json`` (RFC 9457), made of an exception.

``type`` is made of the exception's class name and is as stable as that; ``title`` is the first line
of its docstring; ``detail`` is its message: what was wrong, and what would be right.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.routing import Match

from application.access import Forbidden, TooManyRequests, Unidentified
from application.backpressure import Overloaded
from application.claim_check import EventTooLarge
from application.command_dispatch import CommandIdReused, StaleVersion, TooMuchContention
from application.consistency import InvalidToken, NotOfThisLog, NotYetProjected
from application.messages import UnreadableEvent
from application.ports import (
    NotBuilt,
    PayloadUnavailable,
    ProviderUnavailable,
    StoreUnavailable,
    StreamDeleted,
    StreamUnusable,
)
from domain.decider import DomainError, Missing
from infrastructure.visible import visible


class FieldProblem(BaseModel):
    """One field of the request, and what would be right there."""

    field: str
    problem: str


class Problem(BaseModel):
    """An error, in the form of every error answer of this service."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str


class InvalidProblem(Problem):
    """A request with invalid fields."""

    errors: Sequence[FieldProblem]


class NotYet(BaseModel):
    """No answer yet: the read model does not have the event of the Consistency-Token."""

    status: Literal["committed, not yet projected"] = "committed, not yet projected"
    detail: str
    projection: str
    position: int
    checkpoint: int | None


class BadQuestion(Exception):
    """The parameters of the query contradict each other."""


class NotKnownYet(Exception):
    """The read model has not caught up yet, so it is unknown whether this exists."""


class BadHeader(Exception):
    """A request header is malformed."""


STATUS: Mapping[type[Exception], HTTPStatus] = {  # the first that fits counts
    Missing: HTTPStatus.NOT_FOUND,
    DomainError: HTTPStatus.CONFLICT,
    StaleVersion: HTTPStatus.PRECONDITION_FAILED,
    StreamDeleted: HTTPStatus.GONE,
    StreamUnusable: HTTPStatus.CONFLICT,
    UnreadableEvent: HTTPStatus.SERVICE_UNAVAILABLE,
    PayloadUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    CommandIdReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    EventTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TooMuchContention: HTTPStatus.SERVICE_UNAVAILABLE,
    Overloaded: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    NotBuilt: HTTPStatus.SERVICE_UNAVAILABLE,
    NotKnownYet: HTTPStatus.SERVICE_UNAVAILABLE,
    NotOfThisLog: HTTPStatus.SERVICE_UNAVAILABLE,
    InvalidToken: HTTPStatus.BAD_REQUEST,
    BadHeader: HTTPStatus.BAD_REQUEST,
    Unidentified: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    ProviderUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    BadQuestion: HTTPStatus.UNPROCESSABLE_ENTITY,
}


_MOST = 100  # invalid fields that an answer lists
_SCHEMA = "#/components/schemas/{model}"


def install(app: FastAPI) -> None:
    """Make ``app`` answer all its errors as problems."""
    for error in STATUS:
        app.add_exception_handler(error, _problem)
    app.add_exception_handler(NotYetProjected, _accepted)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)


def documented(*errors: type[Exception]) -> dict[int | str, dict[str, Any]]:
    """The ``responses=`` of a route that raises these, for OpenAPI."""
    statuses = {HTTPStatus.UNPROCESSABLE_ENTITY, *map(_status, errors)}
    return {int(status): documented_status(status) for status in sorted(statuses)}


def describe(openapi: dict[str, Any]) -> None:
    """Add the schemas of problems to an OpenAPI document."""
    models: Sequence[tuple[type[BaseModel], Literal["serialization"]]] = [
        (Problem, "serialization"),
        (InvalidProblem, "serialization"),
    ]
    _, schemas = models_json_schema(models, ref_template=_SCHEMA)
    openapi.setdefault("components", {}).setdefault("schemas", {}).update(schemas["$defs"])


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        problem.model_dump(),
        status_code=problem.status,
        headers=dict(headers or {}),
        media_type="application/problem+json",
    )


def of_status(status: HTTPStatus, detail: str, **more: Any) -> Problem:
    """A problem for which HTTP has a name, so it needs no type of its own."""
    return Problem(type="about:blank", title=status.phrase, status=status, detail=detail, **more)


def invalid(wrong: Sequence[FieldProblem]) -> InvalidProblem:
    """The problem of these invalid fields."""
    shown = wrong[:_MOST]
    more = f"; the first {_MOST} are listed" if len(wrong) > _MOST else ""
    return InvalidProblem(
        type=_type("invalid-request"),
        title="The request is invalid.",
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        detail=f"{len(wrong):,} field(s) are invalid{more}",
        errors=[FieldProblem(field=visible(one.field), problem=one.problem) for one in shown],
    )


def _of(error: Exception, status: HTTPStatus) -> Problem:
    title = (type(error).__doc__ or "").partition("\n")[0]
    name = re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__)
    return Problem(type=_type(name), title=title, status=status, detail=str(error))


def _type(name: str) -> str:
    return f"urn:headwater:problem:{name.lower()}"


def _status(error: type[Exception]) -> HTTPStatus:
    return next(status for known, status in STATUS.items() if issubclass(error, known))


def documented_status(status: HTTPStatus) -> dict[str, Any]:
    """An answer with that status, for OpenAPI.

    Written out, since ``model=`` would declare ``application/json``.
    """
    model = InvalidProblem if status == HTTPStatus.UNPROCESSABLE_ENTITY else Problem
    schema = {"$ref": _SCHEMA.format(model=model.__name__)}
    return {
        "description": status.phrase,
        "content": {"application/problem+json": {"schema": schema}},
    }


async def _problem(request: Request, error: Exception) -> JSONResponse:
    status = _status(type(error))
    headers = {}
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        headers["Retry-After"] = str(getattr(error, "retry_after", 1))
    if lag := getattr(request.state, "projection_lag", None):
        headers["Projection-Lag"] = lag
    return answer(_of(error, status), headers)


async def _accepted(_: Request, error: Exception) -> JSONResponse:
    """Answers 202: neither a problem nor an answer, since a stale one would pass as fresh."""
    assert isinstance(error, NotYetProjected)  # it is registered for this class only
    body = NotYet(
        detail=str(error),
        projection=error.projection,
        position=error.position,
        checkpoint=error.checkpoint,
    )
    return JSONResponse(body.model_dump(), HTTPStatus.ACCEPTED, {"Retry-After": "1"})


async def _refused(request: Request, error: Exception) -> JSONResponse:
    """What the framework refuses by itself: an unknown path or method."""
    assert isinstance(error, HTTPException)  # it is registered for this class only
    status = HTTPStatus(error.status_code)
    match status:
        case HTTPStatus.NOT_FOUND:
            detail = f"there is nothing at {request.url.path}; /docs lists all paths"
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = ", ".join(_methods(request))
            detail = f"{request.url.path} does not take {request.method}: use {allowed}"
            return answer(of_status(status, detail), {"Allow": allowed})
        case _:
            detail = str(error.detail)
    return answer(of_status(status, detail), error.headers)


def _methods(request: Request) -> Sequence[str]:
    """The methods of this path: the framework knows those of its first route only."""
    routes = request.app.router.routes
    return [
        method
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
        if any(
            route.matches({**request.scope, "method": _as_routed(method)})[0] is Match.FULL
            for route in routes
        )
    ]


def _as_routed(method: str) -> str:
    """HEAD is answered wherever GET is."""
    return "GET" if method == "HEAD" else method


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # it is registered for this class only
    found = error.errors()
    if found[0]["type"] == "json_invalid":
        detail = (
            f"the body is not JSON: {found[0]['ctx']['error']} at character {found[0]['loc'][1]}"
        )
        return answer(of_status(HTTPStatus.BAD_REQUEST, detail))
    if found[0]["loc"] == ("body",) and "json" not in request.headers.get("content-type", "json"):
        detail = "send the body as JSON, with the header Content-Type: application/json"
        return answer(of_status(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail))
    wrong = [FieldProblem(field=_field(one["loc"]), problem=_reason(one)) for one in found]
    return answer(invalid(wrong))


def _field(location: Sequence[str | int]) -> str:
    """``("body", "lines", 0, "quantity")`` → ``lines[0].quantity``."""
    inner = location[1:] if location[0] == "body" else location
    names = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in inner]
    return "".join(names).lstrip(".") or "body"


def _reason(error: Mapping[str, Any]) -> str:
    reason = str(error["msg"]).removeprefix("Value error, ")
    return reason[:1].lower() + reason[1:]
