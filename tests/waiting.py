"""Waiting for a condition, with a deadline, instead of sleeping and hoping."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool], within: float = 10.0) -> None:
    """Return as soon as it holds; ``AssertionError`` when it has not after so many seconds."""
    end = asyncio.get_running_loop().time() + within
    while not condition():
        assert asyncio.get_running_loop().time() < end, "what was waited for never came true"
        await asyncio.sleep(0.001)
