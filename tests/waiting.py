"""Waiting for a condition, with a deadline, instead of sleeping and hoping."""

import asyncio
from collections.abc import Awaitable, Callable

import psutil

PATIENCE = 60.0  # seconds: it costs nothing while all is well, and a busy machine may need it


async def until(
    condition: Callable[[], bool], within: float = PATIENCE, *, every: float = 0.001
) -> None:
    """Return as soon as it holds; ``AssertionError`` when it has not after so many seconds."""
    end = asyncio.get_running_loop().time() + within
    while not condition():
        assert asyncio.get_running_loop().time() < end, "what was waited for never came true"
        await asyncio.sleep(every)


async def until_true(ask: Callable[[], Awaitable[bool]], within: float = PATIENCE) -> None:
    """The same, where finding out takes a call."""
    end = asyncio.get_running_loop().time() + within
    while not await ask():
        assert asyncio.get_running_loop().time() < end, "what was waited for never came true"
        await asyncio.sleep(0.005)


def has_ended(process: psutil.Process) -> bool:
    """Whether it is gone, or there only until its parent asks how it ended."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
