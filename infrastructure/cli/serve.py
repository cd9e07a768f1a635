"""``headwater serve``, and the processes of ``run``: one process with its roles."""

import asyncio
import os
import socket
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from infrastructure import telemetry
from infrastructure.cli.printing import say
from infrastructure.cli.run import log_to_home
from infrastructure.container import wired
from infrastructure.processes.needs import SERVE
from infrastructure.processes.private_memory import keep_memory_private
from infrastructure.processes.role_process import READY
from infrastructure.processes.servers import resolved
from infrastructure.processes.service import serving
from infrastructure.program import Deployment
from infrastructure.roles import CALLING_OUT, Role, in_words

_BEHIND: Final = 5  # steps of niceness: a third of the processor time of the API, if both want it


async def serve_configured(
    deployment: Deployment, listener: socket.socket, roles: Collection[Role]
) -> None:
    """Serve in these roles until cancelled, on the servers that are set.

    Raises ``InvalidSettings`` for one that is not set, and ``StoreUnavailable``.
    """
    keep_memory_private()
    telemetry.log_to_stderr(deployment.settings.log_level, in_words(roles))
    needs = replace(SERVE, outside=not CALLING_OUT.isdisjoint(roles), sagas=Role.SAGAS in roles)
    servers = resolved(deployment, needs)
    async with serving(wired(deployment.program, servers.settings, roles), [listener]):
        await asyncio.Event().wait()


async def serve_part(
    deployment: Deployment, listeners: Sequence[socket.socket], role: Role
) -> None:
    """Serve in this role until cancelled, as a process of ``run``, which sets all servers.

    Background work leaves the processor to answers. Prints that it is ready. Raises
    ``InvalidSettings``, ``StoreUnavailable``.
    """
    keep_memory_private()
    log_to_home(deployment, role)
    if role is not Role.API:
        os.nice(_BEHIND)
    async with serving(wired(deployment.program, deployment.settings, {role}), listeners):
        say(READY)
        await asyncio.Event().wait()
