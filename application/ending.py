"""Ends tasks: cancels them until they have ended."""

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any, Final

_AGAIN: Final = 2.0  # seconds; sooner, it would cut short how a driver ends its query


async def end(tasks: Collection[asyncio.Task[Any]], *, again: float = _AGAIN) -> None:
    """Cancel all of them, and return when they have ended. Their errors stay in them.

    A cancellation can get lost: ``asyncio.wait_for`` of Python 3.11, which drivers use, drops one
    that arrives together with what it waits for. So it is repeated every ``again`` seconds.
    """
    alive = [task for task in tasks if not task.done()]
    while alive:
        for task in alive:
            task.cancel()
        _, pending = await asyncio.wait(alive, timeout=again)
        alive = [*pending]


async def until_one_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Run them side by side, and end the others when one has ended. Raises what that one raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(tasks)
    for task in ended:
        task.result()
