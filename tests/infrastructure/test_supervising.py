"""Servers that the service starts are kept running: restarted at their address, up to a limit."""

import asyncio
from dataclasses import dataclass, field

import pytest

from infrastructure.processes import CommandFailed
from infrastructure.processes.supervising import RESTARTS, kept_running
from tests.waiting import until


@dataclass
class Server:
    """Ends when a test sets ``ended``; ``failing``: how many restarts fail before one succeeds."""

    ended: bool = False
    failing: int = 0
    started: int = 0
    pauses: list[float] = field(default_factory=list)

    def start_again(self) -> None:
        if self.failing:
            self.failing -= 1
            raise OSError("its port is taken")
        self.started += 1
        self.ended = False

    async def pause(self, seconds: float) -> None:
        """No time passes; what was waited for is remembered."""
        self.pauses.append(seconds)
        await asyncio.sleep(0)


async def test_a_server_that_ends_is_started_again() -> None:
    """However often it ends, short of the limit, it is running again soon."""
    server = Server()
    async with kept_running("the server", server, server.pause):
        for _ in range(RESTARTS):
            server.ended = True
            await until(lambda: not server.ended)

    assert server.started == RESTARTS


async def test_the_pause_before_a_restart_grows() -> None:
    """A server that does not start is not tried in a rush: each pause is twice the one before."""
    server = Server(ended=True, failing=3)
    async with kept_running("the server", server, server.pause):
        await until(lambda: server.started == 1)

    pauses = [seconds for seconds in server.pauses if seconds >= 0.5]
    assert pauses == [0.5, 1.0, 2.0, 4.0]


async def test_one_that_ends_again_and_again_ends_the_service_with_the_reason() -> None:
    """The block is cancelled, and one line says which server it was, how often, and why."""
    server = Server(ended=True, failing=1000)
    with pytest.raises(CommandFailed, match=r"the server .* 5 times .*its port is taken"):
        async with kept_running("the server", server, server.pause):
            await asyncio.Event().wait()


async def test_an_error_of_the_block_stays_what_it_is() -> None:
    """An error in the block is not wrapped, and the server is not restarted afterwards."""
    server = Server()
    with pytest.raises(ZeroDivisionError):
        async with kept_running("the server", server, server.pause):
            raise ZeroDivisionError

    server.ended = True
    await asyncio.sleep(0)
    assert server.started == 0


async def test_cancelling_the_block_is_a_cancellation() -> None:
    """Stopping the service while a server is down stops it, and reports no failure."""
    server = Server(ended=True, failing=1000)

    async def service() -> None:
        async with kept_running("the server", server):
            await asyncio.Event().wait()

    task = asyncio.create_task(service())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
