"""Lanes: those that wait together are served together, a few groups at a time.

Who comes alone is served at once. While all lanes are busy, those that come wait for the next
group, so the more there are, the more go together.
"""

import asyncio
from asyncio import Future
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar, cast

LANES: Final = 2  # groups under way at a time: one that has to wait does not stop all

W = TypeVar("W")
A = TypeVar("A")

Waiting = tuple[W, Future[A]]
"""What one caller wants, and where the answer goes."""

Tell = Callable[[int], None]
"""Hears of every group how many were in it."""


def silent(_: int) -> None:
    """Tell nobody."""


class Lanes(Generic[W, A]):
    """Has groups chosen from those that wait, and served."""

    def __init__(
        self,
        choose: Callable[[deque[Waiting[W, A]]], Sequence[Waiting[W, A]]],
        serve: Callable[[Sequence[Waiting[W, A]]], Awaitable[None]],
        tell: Tell,
    ) -> None:
        """``choose`` takes the next group out; ``serve`` answers each of it, and never raises."""
        self._choose, self._serve, self._tell = choose, serve, tell
        self._waiting: deque[Waiting[W, A]] = deque()
        self._lanes: set[asyncio.Task[None]] = set()

    async def answer(self, wanted: W) -> A:
        """The answer, or the exception, that serving it has led to."""
        answer: Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, answer))
        if len(self._lanes) < LANES:
            self._lanes.add(asyncio.create_task(self._work()))
        return await answer

    async def _work(self) -> None:
        try:
            while group := self._choose(self._waiting):
                self._tell(len(group))
                await self._serve(group)
        finally:
            self._lanes.discard(cast("asyncio.Task[None]", asyncio.current_task()))


def give(waiting: Future[A], answer: A | Exception) -> None:
    """Answer, unless whoever waited has gone."""
    if waiting.done():
        return
    if isinstance(answer, Exception):
        waiting.set_exception(answer)
    else:
        waiting.set_result(answer)
