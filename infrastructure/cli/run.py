"""``headwater run`` and ``headwater serve``: start the service, and print where it listens."""

import asyncio
import socket

from infrastructure import telemetry
from infrastructure.cli.printing import Console
from infrastructure.connecting import require_consistency
from infrastructure.container import wired
from infrastructure.processes.found import Running
from infrastructure.processes.home import Home
from infrastructure.processes.listener import url
from infrastructure.processes.needs import RUN, SERVE
from infrastructure.processes.resolving import Source
from infrastructure.processes.servers import resolved, started
from infrastructure.processes.service import caught_up, serving
from infrastructure.program import Deployment


async def serve_configured(deployment: Deployment, listener: socket.socket) -> None:
    """Serve until cancelled, on the servers that are set.

    Raises ``InvalidSettings`` for one that is not set, and ``StoreUnavailable``.
    """
    telemetry.log_to_stderr(deployment.settings.log_level)
    servers = resolved(deployment, SERVE)
    async with serving(wired(deployment.program, servers.settings), listener):
        await asyncio.Event().wait()


async def run_service(deployment: Deployment, home: Home, listener: socket.socket) -> None:
    """Serve until cancelled, on embedded servers where none is set.

    Raises ``CommandFailed``, ``StoreUnavailable``.
    """
    telemetry.log_to_file(
        home.directory / "log" / f"{deployment.program.service.name}.log",
        deployment.settings.log_level,
    )
    console = Console()
    program, servers = deployment.program, resolved(deployment, RUN)
    require_consistency(wired(program, servers.settings))  # before anything is started
    async with started(servers) as complete:
        container = wired(program, complete)
        async with serving(container, listener):
            home.announce(Running.here(complete, url(listener)))
            if servers.sources[complete.servers[0]] is Source.STARTED:
                await program.first_start(container, home.directory, console)
            with console.status("The read models are catching up …"):
                await caught_up(container)
            await program.welcome(container, servers.settings, url(listener), console)
            await asyncio.Event().wait()
