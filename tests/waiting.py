"""Waiting for a condition, with a deadline, instead of sleeping and hoping."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], bool], within: float = 10.0) -> None:
    """Return as soon as it holds; ``AssertionError`` when it has not after so many seconds."""
    end = asyncio.get_running_loop().time() + within
    while not condition():
        assert asyncio.get_running_loop().time() < end, "what was waited for never came true"
        await asyncio.sleep(0.001)


async def until_true(ask: Callable[[], Awaitable[bool]], within: float = 20.0) -> None:
    """The same, where finding out takes a call."""
    end = asyncio.get_running_loop().time() + within
    while not await ask():
        assert asyncio.get_running_loop().time() < end, "what was waited for never came true"
        await asyncio.sleep(0.005)
