"""The server of the simulated providers: it listens on this machine only."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final

import uvicorn

from infrastructure.providers.simulated.app import Address, create_app
from infrastructure.providers.simulated.journal import Journal
from infrastructure.providers.simulated.rules import SimulatedProvider
from infrastructure.providers.simulated.simulation import Simulation
from infrastructure.web.connections import Guarded, Server

HOST: Final = "127.0.0.1"
_GRACE: Final = 1  # seconds that calls under way get in the end
_KEEP_ALIVE: Final = 75  # seconds; longer than any client's, so that the client closes first


class _Server(Server):
    def __init__(self, simulation: Simulation) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(simulation, self._hang_up),
                http=Guarded,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=_GRACE,
            )
        )

    def _hang_up(self, address: Address) -> None:
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport and tuple(transport.get_extra_info("peername")) == tuple(address):
                transport.abort()


@asynccontextmanager
async def answering(
    providers: Sequence[SimulatedProvider[Any, Any, Any]], file: Path | None, port: int
) -> AsyncIterator[str]:
    """Answer for these as long as the block lasts; the address of the server.

    Raises ``JournalUnavailable``, and ``OSError`` when nothing can listen on that port.
    """
    with socket.create_server((HOST, port)) as listener, closing(Journal(file)) as journal:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio leaves it to us
        server = _Server(Simulation(providers, journal))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://{HOST}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task
