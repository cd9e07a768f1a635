"""``headwater run``: servers for what is not set, and the processes of the service.

This process only watches: it imports no driver, no store and no HTTP, and sleeps until a process
ends.
"""

import asyncio
import socket
from collections.abc import Mapping
from functools import partial

from infrastructure import telemetry
from infrastructure.consistency import require_consistency
from infrastructure.other_engines import elsewhere  # only: temporal
from infrastructure.parts import consistent
from infrastructure.processes.found import Running
from infrastructure.processes.greeting import greeted
from infrastructure.processes.home import Home
from infrastructure.processes.listener import url
from infrastructure.processes.needs import RUN
from infrastructure.processes.parts import parts
from infrastructure.processes.private_memory import keep_memory_private
from infrastructure.processes.resolving import Source
from infrastructure.processes.servers import resolved, started
from infrastructure.program import Deployment
from infrastructure.roles import Role


async def run_service(
    deployment: Deployment, home: Home, listener: socket.socket, numbers: Mapping[Role, int]
) -> None:
    """Run that many processes of each role until cancelled, on started servers where none is set.

    Raises ``CommandFailed``, ``InvalidSettings``.
    """
    keep_memory_private()
    log_to_home(deployment, "run")
    servers = resolved(deployment, RUN)
    service = deployment.program.service
    declared = partial(
        consistent,
        service,
        servers.settings.inline_projections,  # only: postgres_events
    )
    require_consistency(servers.settings, declared)  # before it starts
    elsewhere(service, servers.settings)  # only: temporal
    async with (
        started(servers) as complete,
        parts(complete, listener, numbers) as processes,
    ):
        addresses = [{"role": str(one.role), "url": url(one.listener)} for one in processes]
        home.announce(Running.here(complete, url(listener), addresses))
        given = [field for field, source in servers.sources.items() if source is Source.SET]
        await greeted(complete, url(listener), given)
        await asyncio.Event().wait()


def log_to_home(deployment: Deployment, role: str) -> None:
    """Have this process write to the log in the home, which all processes of ``run`` share."""
    settings = deployment.settings
    file = settings.home.absolute() / "log" / f"{deployment.program.service.name}.log"
    telemetry.log_to_file(file, settings.log_level, role)
