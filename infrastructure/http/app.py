"""The HTTP application: routes, errors, and what happens around every request."""

from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI

from infrastructure.connecting import opened_to_serve
from infrastructure.container import Container
from infrastructure.http import access, description, headers, operations, problems
from infrastructure.http.admission import admitting
from infrastructure.http.console import console_of  # only: console
from infrastructure.http.middleware import Identified, Limited, Observed, unknown_name
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
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(opened_to_serve(container))
            if console:  # only: console
                at_work = app.state.console.at_work(container.served)  # only: console
                await stack.enter_async_context(at_work)  # only: console
            yield

    program = container.program()
    app = _Described(
        title=program.title,
        version=version(program.distribution),
        description=program.description or program.about,
        lifespan=lifespan,
        docs_url=None,  # ours: FastAPI's has a script of another host
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(understood)],
        telemetry={"tracing": False, "metrics": False, "logs": False},  # ours: ``Observed``
    )
    app.state.served = container.served
    routers = (*program.routes(), operations.router)
    for router in routers:
        headers.describe(router)
        access.describe(router)
        app.router.routes += admitting(router)  # included, each request would look for them twice
    problems.install(app)
    description.install(app)
    settings = container.settings()
    apart = [*program.paths_apart]
    if console := console_of(settings):  # only: console
        apart += console.PATHS  # only: console
    app.add_middleware(Headed)
    app.add_middleware(Limited)
    app.add_middleware(Readable)
    app.add_middleware(Identified, callers=container.callers(), apart=apart)
    public: Collection[str] = ()
    if console:  # only: console
        public = console.install(app, program, settings).assets  # only: console
    refusal = unknown_name(settings.name_of("trusted_hosts"))
    app.add_middleware(Trusted, names=settings.own_names, refusal=refusal, public=public)
    app.add_middleware(Observed, metrics=container.metrics())  # it wraps all that is before it
    if console:  # only: console
        console.answer_in_pages(app)  # only: console
    return app
