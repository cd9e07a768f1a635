"""Waiting for a condition, with a deadline, instead of sleeping and hoping."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psutil

PATIENCE = 60.0  # seconds: it costs nothing while all is well, and a busy machine may need it

_Value = TypeVar("_Value")


def eventually(look: Callable[[], _Value], expected: _Value, *, within: float = PATIENCE) -> _Value:
    """Look until it is as expected. Fails with what it was last."""
    deadline = time.monotonic() + within
    while (found := look()) != expected:
        assert time.monotonic() < deadline, f"still {found!r} after {within} s, not {expected!r}"
        time.sleep(0.01)
    return found


def wait_until(condition: Callable[[], bool], within: float = PATIENCE) -> None:
    """Return as soon as it holds. Fails when it has not after so many seconds."""
    eventually(condition, True, within=within)


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
    """Whether it has ended, also as a zombie."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
