"""``headwater run`` and ``headwater serve``: start the service, and tell a person where it is."""

import asyncio
import socket

from infrastructure import telemetry
from infrastructure.cli.printing import Console
from infrastructure.container import require_consistency, wired
from infrastructure.processes.home import Home, Running
from infrastructure.processes.listener import url
from infrastructure.processes.needs import RUN, SERVE
from infrastructure.processes.resolving import Source
from infrastructure.processes.servers import resolved, started
from infrastructure.processes.service import caught_up, serving
from infrastructure.settings import Settings
from infrastructure.shop.cli.importing import bring_in_sample
from infrastructure.shop.cli.welcome import welcome
from infrastructure.shop.outside import SIMULATED_PROVIDERS
from infrastructure.shop.settings import ShopSettings


async def serve_configured(settings: Settings, listener: socket.socket) -> None:
    """Serve until cancelled, on the servers that are set.

    Raises ``InvalidSettings`` for one that is not set, and ``StoreUnavailable``.
    """
    telemetry.log_to_stderr(settings.log_level)
    servers = resolved(settings, SERVE, [SIMULATED_PROVIDERS])
    async with serving(wired(servers.settings), listener):
        await asyncio.Event().wait()


async def run_service(settings: ShopSettings, home: Home, listener: socket.socket) -> None:
    """Serve until cancelled, on servers of our own for what is not set.

    Raises ``CommandFailed``, ``StoreUnavailable``.
    """
    telemetry.log_to_file(home.directory / "log" / "headwater.log", settings.log_level)
    console = Console()
    servers = resolved(settings, RUN, [SIMULATED_PROVIDERS])
    require_consistency(wired(servers.settings))  # before anything is started
    async with started(servers) as complete:
        container = wired(complete)
        async with serving(container, listener):
            home.announce(Running.here(complete, url(listener)))
            if servers.sources[complete.servers[0]] is Source.STARTED:
                await bring_in_sample(container, home.directory, console)
            with console.status("The read models are catching up …"):
                await caught_up(container)
            await welcome(container, servers.settings, url(listener), console)
            await asyncio.Event().wait()
