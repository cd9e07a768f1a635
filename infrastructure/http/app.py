"""The HTTP application: routes, errors, and what happens around every request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI

from infrastructure.connecting import opened_to_serve
from infrastructure.container import Container
from infrastructure.http import description, headers, operations, problems
from infrastructure.http.middleware import Authorized, Limited, Observed, unknown_name
from infrastructure.http.text import Headed, Readable, understood
from infrastructure.web.hosts import Trusted


class _Described(FastAPI):
    def openapi(self) -> dict[str, Any]:
        description = super().openapi()
        problems.describe(description)
        return description


def create_app(container: Container) -> FastAPI:
    """The application over this wiring; its lifespan opens the wiring."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with opened_to_serve(container):
            yield

    program = container.program()
    app = _Described(
        title=program.title,
        version=version(program.distribution),
        description=program.description,
        lifespan=lifespan,
        docs_url=None,  # ours: FastAPI's has a script of another host
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(understood)],
        telemetry={"tracing": False, "metrics": False, "logs": False},  # ours: ``Observed``
    )
    app.state.served = container.served
    for router in (*program.routes(), operations.router):
        headers.describe(router)
        app.include_router(router)
    problems.install(app)
    description.install(app)
    settings = container.settings()
    app.add_middleware(Headed)
    app.add_middleware(Limited)
    app.add_middleware(Readable)
    if settings.api_token is not None:
        token = settings.api_token.get_secret_value()
        app.add_middleware(Authorized, token=token, apart=program.paths_apart)
    refusal = unknown_name(settings.name_of("trusted_hosts"))
    app.add_middleware(Trusted, names=settings.own_names, refusal=refusal)
    app.add_middleware(Observed, metrics=container.metrics())  # added last, so it wraps all others
    return app
