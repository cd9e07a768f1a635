"""The HTTP application: routes, errors, and what happens around every request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI

from infrastructure.container import Container, opened
from infrastructure.http import description, operations, problems
from infrastructure.http.middleware import Authorized, Limited, Observed, unknown_name
from infrastructure.http.text import Headed, Readable, understood
from infrastructure.shop.http import carrier, orders, sales, stock, warehouse
from infrastructure.web.hosts import Trusted

_DESCRIPTION = """
Order fulfilment for a shop, event-sourced. Commands (`POST`) append events and answer with the
version of the stream; questions (`GET`) are answered by read models a few milliseconds behind.

Send an `Idempotency-Key` with a command to retry it safely, `If-Match` to act only on the version
that you have seen. Errors are `application/problem+json`.
"""


class _Described(FastAPI):
    def openapi(self) -> dict[str, Any]:
        description = super().openapi()
        problems.describe(description)
        return description


def create_app(container: Container) -> FastAPI:
    """The application over this wiring; its lifespan opens what the wiring has to open."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with opened(container):
            yield

    app = _Described(
        title="Headwater",
        version=version("headwater"),
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # ours: FastAPI's has a script of another host
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(understood)],
    )
    app.state.container = container
    for part in (orders, stock, sales, warehouse, carrier, operations):
        app.include_router(part.router)
    problems.install(app)
    description.install(app)
    settings = container.settings()
    app.add_middleware(Headed)
    app.add_middleware(Limited)
    app.add_middleware(Readable)
    if settings.api_token is not None:
        app.add_middleware(Authorized, token=settings.api_token.get_secret_value())
    refusal = unknown_name(settings.name_of("trusted_hosts"))
    app.add_middleware(Trusted, names=settings.own_names, refusal=refusal)
    app.add_middleware(Observed, metrics=container.metrics())  # added last, so around all others
    return app
