"""Batching: callers that wait together are served together, a few batches at a time.

A caller that comes alone is served at once. While as many batches as may are under way, callers
wait for the next one. So batches grow with the load. Where several came together a moment ago, the
next ones are waited for, too.
"""

import asyncio
from asyncio import Future
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar, cast

from application.pacing import MOMENT

CONCURRENT: Final = 2  # batches under way at a time: one that has to wait does not stop all

_FEW: Final = range(2, 16)  # callers in a batch

W = TypeVar("W")
A = TypeVar("A")

Waiting = tuple[W, Future[A]]
"""What one caller wants, and the future for its answer."""

Report = Callable[[int], None]
"""Called with the size of each batch."""


def ignore(_: int) -> None:
    """Report nothing."""


class Batcher(Generic[W, A]):
    """Forms batches of the callers that wait, and has them served."""

    def __init__(
        self,
        choose: Callable[[deque[Waiting[W, A]]], Sequence[Waiting[W, A]]],
        serve: Callable[[Sequence[Waiting[W, A]]], Awaitable[None]],
        report: Report,
        *,
        concurrent: int = CONCURRENT,
        moment: float = MOMENT,
    ) -> None:
        """``choose`` removes and returns the next batch; ``serve`` answers it, and never raises.

        At most ``concurrent`` batches are under way at a time. ``moment``: seconds."""
        self._choose, self._serve, self._report = choose, serve, report
        self._concurrent, self._moment = concurrent, moment
        self._waiting: deque[Waiting[W, A]] = deque()
        self._batches: set[asyncio.Task[None]] = set()
        self._last = 0  # callers in the last batch

    async def answer(self, wanted: W) -> A:
        """Returns the answer that ``serve`` gave, or raises its exception."""
        answer: Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, answer))
        if len(self._batches) < self._concurrent:
            self._batches.add(asyncio.create_task(self._work()))
        return await answer

    async def _work(self) -> None:
        try:
            while self._waiting:
                if self._last in _FEW:
                    await asyncio.sleep(self._moment)
                batch = self._choose(self._waiting)
                self._last = len(batch)
                if not batch:
                    return
                self._report(len(batch))
                await self._serve(batch)
        finally:
            self._batches.discard(cast("asyncio.Task[None]", asyncio.current_task()))


def give(waiting: Future[A], answer: A | Exception) -> None:
    """Answer, unless the caller has gone."""
    if waiting.done():
        return
    if isinstance(answer, Exception):
        waiting.set_exception(answer)
    else:
        waiting.set_result(answer)
