"""The background tasks of this process. Each is started again when it ends.

Nothing awaits such a task, so its end would go unnoticed. Readiness reports it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol

import structlog

from application.backoff import Backoff
from application.ending import end

STEADY: Final = 10.0
"""Seconds at work after which a task counts as healthy again."""
_BACKOFF: Final = Backoff(0.1, most=10.0)  # until it is started again

log = structlog.stdlib.get_logger(__name__)


class Stalling(Protocol):
    """A task that can be at work without progress."""

    @property
    def stalled(self) -> str | None:
        """The reason, or ``None`` while it makes progress."""
        ...


class Working:
    """The tasks of one process, and what is wrong with them."""

    def __init__(
        self,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        steady: float = STEADY,
    ) -> None:
        self._pause, self._steady = pause, steady
        self._ended: dict[str, str] = {}
        self._watched: dict[str, Stalling] = {}

    @property
    def wrong(self) -> str | None:
        """The tasks that are not at work, with reasons; ``None`` when all are."""
        stalled = {name: one.stalled for name, one in self._watched.items() if one.stalled}
        found = {**self._ended, **stalled}
        return "; ".join(f"{name}: {why}" for name, why in sorted(found.items())) or None

    def watch(self, name: str, one: Stalling) -> None:
        """Have :attr:`wrong` report when it makes no progress."""
        self._watched[name] = one

    @asynccontextmanager
    async def at_work(self, **runs: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
        """Run all of these, by name, as long as the block lasts."""
        tasks = [
            asyncio.create_task(self._keep(name, run), name=name) for name, run in runs.items()
        ]
        try:
            yield
        finally:
            await end(tasks)

    async def _keep(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        now, ends = asyncio.get_running_loop().time, 0
        while True:
            began = now()
            well = asyncio.get_running_loop().call_later(self._steady, self._ended.pop, name, None)
            failed: Exception | None = None
            try:
                await run()
            except Exception as error:
                failed = error
            finally:
                well.cancel()
            ends = 1 if now() - began >= self._steady else ends + 1
            self._ended[name] = f"{type(failed).__name__}: {failed}" if failed else "it ended"
            what = "failed" if failed else "ended"
            log.critical(f"a task {what}, and is started again", task=name, exc_info=failed)
            await self._pause(_BACKOFF.longest(ends))
