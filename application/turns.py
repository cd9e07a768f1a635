"""Turns: in one process, commands for one stream wait for each other instead of conflicting.

A command that comes alone is served at once, by its own caller. Commands that come meanwhile wait
in a queue, first come first served, and all that wait together are served together. A command for
which the queue is full, or that has waited too long, is refused before anything is done for it.
Callers that are cancelled leave the queue without affecting others.
"""

import asyncio
from asyncio import Future, TimerHandle
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

WAITING: Final = 1_000
"""Commands that wait for one stream, at most."""

PATIENCE: Final = 5.0
"""Seconds that a command waits for its turn, at most."""

TOGETHER: Final = 100  # commands in one batch: deciding more would hold up other streams

W = TypeVar("W")
A = TypeVar("A")


class TooMuchContention(Exception):
    """Others kept appending to the stream. Try again later."""


class StreamBusy(TooMuchContention):
    """Too many commands wait for the stream; nothing was done."""

    retry_after: Final = 1  # seconds


@dataclass(slots=True, eq=False)
class Waiting(Generic[W, A]):
    """What one caller wants, and the future for its answer."""

    wanted: W
    _answer: Future[A]

    @property
    def settled(self) -> bool:
        """Whether it has its answer, or its caller was cancelled."""
        return self._answer.done()

    def give(self, answer: A | Exception) -> None:
        """Answer, unless it is settled."""
        if self.settled:
            return
        if isinstance(answer, Exception):
            self._answer.set_exception(answer)
        else:
            self._answer.set_result(answer)

    def abandon(self) -> None:
        """Cancel the caller: the process is ending, so there will be no answer."""
        self._answer.cancel()


Queue = OrderedDict[Waiting[W, A], None]
"""Those that wait, first come first; a cancelled caller leaves it from anywhere."""

Serve = Callable[[str, Sequence[Waiting[W, A]]], Awaitable[None]]
"""Answers those that wait for a stream; an exception goes to all that have no answer yet."""


class Turns(Generic[W, A]):
    """Has the callers of each stream served, one group at a time."""

    def __init__(
        self,
        serve: Serve[W, A],
        *,
        waiting: int = WAITING,
        patience: float = PATIENCE,
        together: int = TOGETHER,
    ) -> None:
        self._serve, self._most = serve, waiting
        self._patience, self._together = patience, together
        self._queues: dict[str, Queue[W, A]] = {}  # of streams that are being served
        self._workers: set[asyncio.Task[None]] = set()

    async def answer(self, stream: str, wanted: W) -> A:
        """Returns the answer that ``serve`` gave, or raises its exception.

        Raises :class:`StreamBusy` if its turn does not come. Then nothing was done for it.
        """
        loop = asyncio.get_running_loop()
        answer: Future[A] = loop.create_future()
        one = Waiting(wanted, answer)
        if (queue := self._queues.get(stream)) is None:
            return await self._alone(stream, one, answer)
        if len(queue) >= self._most:
            raise StreamBusy(f"{len(queue)} commands wait for {stream}: nothing was done")
        queue[one] = None
        timer = loop.call_later(self._patience, self._give_up, queue, one, stream)
        return await self._in_turn(queue, one, answer, timer)

    async def _alone(self, stream: str, one: Waiting[W, A], answer: Future[A]) -> A:
        """Serve it in its caller's task: a cancellation affects no other caller."""
        self._queues[stream] = OrderedDict()
        try:
            await self._serve(stream, [one])
        finally:
            self._pass_on(stream)
        return answer.result()

    async def _in_turn(
        self,
        queue: Queue[W, A],
        one: Waiting[W, A],
        answer: Future[A],
        timer: TimerHandle,
    ) -> A:
        try:
            return await answer
        finally:
            timer.cancel()
            queue.pop(one, None)

    def _give_up(self, queue: Queue[W, A], one: Waiting[W, A], stream: str) -> None:
        """Refuse it after ``patience`` seconds, unless it is being served."""
        if one in queue:
            waited = f"no turn came for a command on {stream} within {self._patience:g} s"
            one.give(StreamBusy(f"{waited}: nothing was done"))

    def _pass_on(self, stream: str) -> None:
        if not self._queues[stream]:
            del self._queues[stream]
            return
        worker = asyncio.create_task(self._work(stream))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _work(self, stream: str) -> None:
        queue = self._queues[stream]
        group: Sequence[Waiting[W, A]] = ()
        try:
            while group := self._next(queue):
                await self._served(stream, group)
        finally:
            del self._queues[stream]
            for one in (*group, *queue):  # none, unless the task was cancelled
                one.abandon()

    def _next(self, queue: Queue[W, A]) -> Sequence[Waiting[W, A]]:
        group: list[Waiting[W, A]] = []
        while queue and len(group) < self._together:
            one, _ = queue.popitem(last=False)
            if not one.settled:
                group.append(one)
        return group

    async def _served(self, stream: str, group: Sequence[Waiting[W, A]]) -> None:
        try:
            await self._serve(stream, group)
        except Exception as error:  # whatever it is: the callers get it
            for one in group:
                one.give(error)
