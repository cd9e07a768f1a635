"""Restarts embedded servers that end, each at the address that it had.

The pause before each restart doubles. A server that ends too often ends the service, with the
reason: a service without its stores would answer nothing.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol

import structlog

from application.backoff import Backoff
from infrastructure.processes import CommandFailed

RESTARTS: Final = 5
"""At most so many restarts within ``WITHIN`` seconds. Then the service ends."""
WITHIN: Final = 300.0
_LOOK: Final = 0.2  # seconds between two looks at a process
_BACKOFF: Final = Backoff(0.5, most=60.0)

log = structlog.stdlib.get_logger(__name__)


class Server(Protocol):
    """A server that runs as a child process."""

    @property
    def ended(self) -> bool:
        """Whether its process has ended without being stopped."""
        ...

    def start_again(self) -> object:
        """Start it at the address that it had. Raises an error when it does not start."""
        ...


@asynccontextmanager
async def kept_running(
    name: str, server: Server, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> AsyncIterator[None]:
    """Restart ``server`` whenever it ends, as long as the block lasts.

    Cancels the block and raises :class:`CommandFailed` when it cannot be kept running.
    """
    block = asyncio.current_task()
    assert block is not None  # an async context runs in one
    keeping = asyncio.create_task(_keep(name, server, pause))
    keeping.add_done_callback(lambda task: task.cancelled() or block.cancel())
    try:
        yield
    except asyncio.CancelledError:
        if keeping.done() and not keeping.cancelled() and block.uncancel() == 0:
            keeping.result()  # raises the reason
        raise
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])


async def _keep(name: str, server: Server, pause: Callable[[float], Awaitable[None]]) -> None:
    restarts: deque[float] = deque()
    now = asyncio.get_running_loop().time
    reason = "its process ended"
    while True:
        while not server.ended:
            await pause(_LOOK)
        while restarts and now() - restarts[0] > WITHIN:
            restarts.popleft()
        if len(restarts) == RESTARTS:
            raise CommandFailed(
                f"{name} does not stay up: it was started again {RESTARTS} times within "
                f"{WITHIN:.0f} s, and ended each time ({reason}); its log is in the home"
            )
        await pause(_BACKOFF.longest(len(restarts)))
        restarts.append(now())
        try:
            await asyncio.to_thread(server.start_again)
        except Exception as error:  # of any kind: the next try may succeed, the limit ends it
            reason = str(error)
            log.error("server does not start again", server=name, reason=reason)
        else:
            log.warning("server started again", server=name, restarts=len(restarts))
