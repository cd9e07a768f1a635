"""A bell: wakes all who wait for a change, whatever it is. Each looks for itself."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress


class Bell:
    """To be used on one event loop."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()
        self._rung = asyncio.Event()

    @property
    def next_ring(self) -> asyncio.Event:
        """The next ring, to be taken before looking: what changes after that look rings it."""
        return self._rung

    async def heard(self, within: float | None = None) -> None:
        """Wait for the next ring, at most that many seconds."""
        await heard(self._rung, within)


async def heard(ring: asyncio.Event, within: float | None = None) -> None:
    """Wait for that ring, at most that many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await ring.wait()


async def any_heard(rings: Iterable[asyncio.Event], within: float | None = None) -> None:
    """Wait for one of those rings, at most that many seconds."""
    waiting = [asyncio.ensure_future(ring.wait()) for ring in rings]
    try:
        await asyncio.wait(waiting, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waiting:
            wait.cancel()
