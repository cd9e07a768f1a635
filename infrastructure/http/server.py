"""The HTTP server: its start and its stop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from infrastructure.web.connections import Guarded, Server

GRACE = 3  # seconds that open requests get to finish
KEEP_ALIVE = 15  # seconds that a connection may be idle between two requests


@asynccontextmanager
async def answering(app: Any, listeners: Sequence[socket.socket]) -> AsyncIterator[None]:
    """Serve ``app`` (ASGI), which is opened already, on these sockets as long as the block lasts.

    In the end, open requests get ``GRACE`` seconds to finish; ``ending`` in the state of a request
    is set then, for those that would last for ever.
    """
    ending = asyncio.Event()

    async def with_ending(scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault("state", {})["ending"] = ending
        await app(scope, receive, send)

    server = Server(
        uvicorn.Config(
            with_ending,
            http=Guarded,
            lifespan="off",  # the caller has entered it, and reports its errors
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=GRACE,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[*listeners]), name="http")
    try:
        yield  # the socket listens already: clients wait until the server is up
    finally:
        ending.set()
        server.should_exit = True
        await task
