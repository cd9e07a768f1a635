"""The processes of ``run``: one or several of each role, kept running together."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from infrastructure.processes.listener import listen
from infrastructure.processes.role_process import RoleProcess
from infrastructure.processes.supervising import kept
from infrastructure.roles import Role
from infrastructure.settings import Settings


@asynccontextmanager
async def parts(
    settings: Settings, listener: socket.socket, numbers: Mapping[Role, int]
) -> AsyncIterator[Sequence[RoleProcess]]:
    """That many processes of each role, all answering, as long as the block lasts.

    The API answers on ``listener``. Of several such processes, each has an address of its own
    besides, as all others have. Ends those of the API first, so that an open request sees what
    others still do. Raises ``CommandFailed``, also when one does not stay up, and
    ``InvalidSettings``.
    """
    async with AsyncExitStack() as stack:
        processes = [
            RoleProcess(role, settings, _listeners(stack, settings, listener, role, number))
            for role, number in numbers.items()
            for _ in range(number)
        ]
        stack.push_async_callback(_stop, processes)
        await asyncio.gather(*(process.start() for process in processes))
        for process in processes:
            name = f"the process of {process.role}"
            await stack.enter_async_context(kept(name, process.ended, process.start))
        yield processes


def _listeners(
    stack: AsyncExitStack, settings: Settings, listener: socket.socket, role: Role, number: int
) -> Sequence[socket.socket]:
    shared = [listener] if role is Role.API else []
    if shared and number == 1:
        return shared
    own = stack.enter_context(listen(settings.model_copy(update={"http_port": 0})))
    return [*shared, own]


async def _stop(processes: Sequence[RoleProcess]) -> None:
    """End the API first, then all others."""
    for is_api in (True, False):
        ending = [one for one in processes if (one.role is Role.API) == is_api]
        await asyncio.gather(*(one.stop() for one in ending))
