"""A service in this process, on a real socket, for the browser."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from infrastructure.container import Container
from infrastructure.http.app import create_app
from infrastructure.http.server import answering
from infrastructure.processes.service import projecting

Prepare = Callable[[FastAPI], None]


def _as_it_is(_: FastAPI) -> None:
    pass


@asynccontextmanager
async def answered(
    container: Container, prepare: Prepare = _as_it_is, port: int = 0
) -> AsyncIterator[str]:
    """The address of the service with this wiring, its projections running.

    ``prepare`` is handed its application, before it answers. Without a ``port``: any that is free.
    """
    app = create_app(container)
    prepare(app)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        await stack.enter_async_context(projecting(container))
        listener = stack.enter_context(socket.create_server(("127.0.0.1", port)))
        await stack.enter_async_context(answering(app, [listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
