"""``headwater run`` and ``headwater serve``: start the service, and tell a person where it is."""

import asyncio
import socket

from infrastructure import telemetry
from infrastructure.cli.printing import Console
from infrastructure.container import require_consistency, wired
from infrastructure.processes.embedded_servers import providers_for, servers_for
from infrastructure.processes.home import Home, Running
from infrastructure.processes.listener import url
from infrastructure.processes.service import caught_up, serving
from infrastructure.settings import Settings
from infrastructure.shop.cli.importing import bring_in_sample
from infrastructure.shop.cli.welcome import welcome


async def serve_configured(settings: Settings, listener: socket.socket) -> None:
    """Serve until cancelled, on the servers that are set. Raises ``StoreUnavailable``."""
    telemetry.log_to_stderr(settings.log_level)
    async with serving(wired(settings), listener):
        await asyncio.Event().wait()


async def run_service(settings: Settings, home: Home, listener: socket.socket) -> None:
    """Serve until cancelled, on servers of our own for what is not set.

    Raises ``Hindrance``, ``StoreUnavailable``.
    """
    telemetry.log_to_file(home.directory / "log" / "headwater.log", settings.log_level)
    console = Console()
    settings = home.understood(settings)
    require_consistency(wired(settings))  # before anything is started
    async with servers_for(settings) as with_servers, providers_for(with_servers) as complete:
        container = wired(complete)
        async with serving(container, listener):
            home.announce(Running.here(complete, url(listener)))
            if settings.events_uri is None:
                await bring_in_sample(container, home.directory, console)
            with console.status("The read models are catching up …"):
                await caught_up(container)
            await welcome(container, settings, url(listener), console)
            await asyncio.Event().wait()
