"""Restarts processes that end, each at the address that it had: servers, and those of ``run``.

The pause before each restart doubles. A process that ends too often ends the service, with the
reason: a service without its stores, or without one of its roles, would do half of its work.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Protocol

import structlog

from application.backoff import Backoff
from application.ending import end
from infrastructure.processes import CommandFailed

RESTARTS: Final = 5
"""At most so many restarts within ``WITHIN`` seconds. Then the service ends."""
WITHIN: Final = 300.0
_LOOK: Final = 0.2  # seconds between two looks at a process
_BACKOFF: Final = Backoff(0.5, most=60.0)

Pause = Callable[[float], Awaitable[None]]

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


def kept_running(
    name: str, server: Server, pause: Pause = asyncio.sleep
) -> AbstractAsyncContextManager[None]:
    """Restart ``server`` whenever it ends, as long as the block lasts. Raises as :func:`kept`."""

    async def ended() -> str:
        while not server.ended:
            await pause(_LOOK)
        return "its process ended"

    async def start_again() -> None:
        await asyncio.to_thread(server.start_again)

    return kept(name, ended, start_again, pause)


@asynccontextmanager
async def kept(
    name: str,
    ended: Callable[[], Awaitable[str]],
    start_again: Callable[[], Awaitable[None]],
    pause: Pause = asyncio.sleep,
) -> AsyncIterator[None]:
    """Await ``start_again`` whenever ``ended`` returns, with how, as long as the block lasts.

    Cancels the block and raises :class:`CommandFailed` when it cannot be kept running.
    """
    block = asyncio.current_task()
    assert block is not None  # an async context runs in one
    keeping = asyncio.create_task(_keep(name, ended, start_again, pause), name=f"keep {name}")
    keeping.add_done_callback(lambda task: task.cancelled() or block.cancel())
    try:
        yield
    except asyncio.CancelledError:
        if keeping.done() and not keeping.cancelled() and block.uncancel() == 0:
            keeping.result()  # raises the reason
        raise
    finally:
        await end([keeping])


async def _keep(
    name: str,
    ended: Callable[[], Awaitable[str]],
    start_again: Callable[[], Awaitable[None]],
    pause: Pause,
) -> None:
    restarts: deque[float] = deque()
    now = asyncio.get_running_loop().time
    reason: str | None = None
    while True:
        reason = reason or await ended()
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
            await start_again()
        except Exception as error:  # of any kind: the next try may succeed, the limit ends it
            reason = str(error)
            log.error("process does not start again", process=name, reason=reason)
        else:
            log.warning("process started again", process=name, after=reason, restarts=len(restarts))
            reason = None
