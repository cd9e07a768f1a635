"""A signal that wakes all tasks that wait for a change."""

import asyncio
from contextlib import suppress


class Signal:
    """For tasks on one event loop."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def send(self) -> None:
        """Wake all tasks that wait now."""
        self._next.set()
        self._next = asyncio.Event()

    @property
    def next(self) -> asyncio.Event:
        """The next sending. Take it before looking: a change after that look sets it."""
        return self._next

    async def wait(self, within: float | None = None) -> None:
        """Wait for the next sending, at most ``within`` seconds."""
        await wait_for(self.next, within)


async def wait_for(event: asyncio.Event, within: float | None = None) -> None:
    """Wait until the event is set, at most ``within`` seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
