"""The server under the application: how it starts, how it stops."""

import asyncio
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI

GRACE = 3  # seconds that open requests get to finish


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the process as a whole: the API is not the only thing to stop."""
        yield


@asynccontextmanager
async def answering(app: FastAPI, listener: socket.socket) -> AsyncIterator[None]:
    """Let ``app``, opened already, answer on that socket as long as the block lasts.

    In the end, open requests get ``GRACE`` seconds to finish.
    """
    server = _Server(
        uvicorn.Config(
            app,
            lifespan="off",  # whoever calls has entered it, and can tell its errors
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield  # the socket listens already: who comes before the server is up waits for it
    finally:
        server.should_exit = True
        await task
