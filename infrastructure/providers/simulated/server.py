"""The server of the simulated providers: unless another host is given, for this machine only."""

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
    def __init__(self, simulation: Simulation, host: str) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(simulation, self._hang_up, names=[host]),
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
    providers: Sequence[SimulatedProvider[Any, Any, Any]],
    file: Path | None,
    port: int,
    host: str = HOST,
) -> AsyncIterator[str]:
    """Answer for these as long as the block lasts; the address of the server.

    Clients call them by the name or address ``host``. Raises ``JournalUnavailable``, and
    ``OSError`` when nothing can listen on that port.
    """
    with socket.create_server((host, port)) as listener, closing(Journal(file)) as journal:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio leaves it to us
        server = _Server(Simulation(providers, journal), host)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://{host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task
