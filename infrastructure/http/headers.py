"""The headers that routes read, each declared once: how it is read, and how it is described.

They are read from the request as it is. As parameters of FastAPI's, the three headers of a command
cost three times the processor time of deciding on an order.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.types import Scope

from infrastructure.http.problems import BadHeader

F = TypeVar("F", bound=Callable[..., Any])


def sent(scope: Scope, name: bytes) -> Sequence[str]:
    """The values of the header of this name, which is in lower case, as often as it was sent."""
    return [value.decode("latin-1") for header, value in scope["headers"] if header == name]


def first(scope: Scope, name: bytes) -> str | None:
    """The value of that header, or the first of them."""
    return next(iter(sent(scope, name)), None)


@dataclass(frozen=True)
class RequestHeader:
    """A header that a request may have, once."""

    name: str
    description: str

    def of(self, request: Request) -> str | None:
        """Its value. Raises :class:`BadHeader` where it was sent more than once."""
        values = sent(request.scope, self._name)
        if len(values) > 1:
            raise BadHeader(f"{self.name} was sent more than once: send it once")
        return values[0] if values else None

    @cached_property
    def _name(self) -> bytes:
        return self.name.lower().encode()

    @property
    def described(self) -> dict[str, Any]:
        """As a parameter of an OpenAPI operation."""
        schema = {"type": "string"}
        about = self.description
        return {"name": self.name, "in": "header", "description": about, "schema": schema}


def reads(*headers: RequestHeader) -> Callable[[F], F]:
    """Says of a dependency that it reads these."""

    def declare(dependency: F) -> F:
        vars(dependency)["headers"] = headers
        return dependency

    return declare


def describe(router: APIRouter) -> None:
    """Describe the headers that the routes of this router read, also when called again."""
    for route in router.routes:
        if isinstance(route, APIRoute) and (found := [*_read(route.dependant)]):
            described = [header.described for header in found]
            route.openapi_extra = {**(route.openapi_extra or {}), "parameters": described}


def _read(needed: Dependant) -> Iterator[RequestHeader]:
    """By a dependency, or one below it."""
    yield from getattr(needed.call, "headers", ())
    for below in needed.dependencies:
        yield from _read(below)
