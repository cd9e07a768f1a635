"""Runs the system projections: each event is linked into the streams of its category, its type, …

They work in the background, hundreds of events per commit, and read the log in one pass while
they are at the same position. Links and checkpoints are one commit, so each event is linked exactly
once, in the order of the log, also after a crash.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Final

from embedded_eventstoredb.projections.definitions import Definition
from embedded_eventstoredb.projections.linking import BATCH, Step, link_batch
from embedded_eventstoredb.projections.system_projection import SystemProjection
from embedded_eventstoredb.reading import is_projected
from embedded_eventstoredb.storage import Storage, Stream, Transaction

_REST: Final = 3.0
"""The pause after a batch, in processor times of that batch: links may be late, appends may not.

The time that a batch waits for its turn does not count: on a busy machine, links would fall behind.
"""
_LEAST_REST: Final = 0.05  # seconds: appends that come meanwhile are linked in one commit
_MOST_REST: Final = 0.15  # more in one commit would keep appends waiting
_EACH: Final = 0.003  # so from 333 events a second on, it grows up to the most
_log = logging.getLogger(__name__)


class SystemProjections:
    """All system projections.

    They share each batch, and pause between two batches while clients write.
    """

    def __init__(self, storage: Storage) -> None:
        self._between_batches = asyncio.Lock()
        self._projections: list[SystemProjection] = []
        self._storage = storage
        self._woken = asyncio.Event()
        self._to_link = storage.last_position
        """Records beyond this position are links, or other records that no projection links."""
        storage.on_growth(self._grown)
        self._own_end = -1  # of the log, after the last batch
        self._worked = 0.0  # seconds of the writer's processor, for the last batch
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Work in the background from now on."""
        self._tasks = [asyncio.create_task(self._work())]

    async def stop(self) -> None:
        """Stop all work; what is not committed is done after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def add(self, definition: Definition) -> SystemProjection:
        """Add a projection, from its checkpoint on."""
        projection = SystemProjection(self, definition)
        await projection.reload(definition)
        self._projections.append(projection)
        return projection

    async def pause(self, projection: SystemProjection, *, checkpoint: bool) -> None:
        """Exclude it from further batches, after the one that is being written."""
        async with self._between_batches:
            if projection.is_running and checkpoint:
                key, value = projection.checkpoint_key, str(projection.position).encode()
                await self._storage.write_in_time(lambda t: t.set_state(key, value))
                projection.checkpointed()

    def wake(self) -> None:
        self._woken.set()

    def stored_checkpoint(self, key: str) -> int:
        return int(self._storage.state(key) or -1)

    def progress(self, position: int) -> float:
        """How much of the log is behind that position, in per cent."""
        behind = self._storage.last_position - position
        return 100 * (1 - behind / (self._storage.last_position + 1))

    def _grown(self, streams: Mapping[str, Stream]) -> None:
        if any(map(is_projected, streams)):
            self._to_link = self._storage.last_position
        self._woken.set()

    async def _work(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                if await self._advance():
                    self._woken.set()
            except Exception as error:  # any error: report it, and stay at the checkpoints
                _log.exception("system projections failed")
                for projection in self._running():
                    projection.fail(str(error))

    def _running(self) -> list[SystemProjection]:
        return [projection for projection in self._projections if projection.is_running]

    async def _advance(self) -> bool:
        """Link a batch for the projections that are furthest, and one for each that is behind them.

        False when there was nothing to link.
        """
        end, self._worked = self._storage.last_position, 0.0
        async with self._between_batches:
            places = sorted({projection.position for projection in self._running()}, reverse=True)
            linked = [await self._link_next(place, end) for place in places]
        if not any(linked):
            return False
        others_write = end > self._own_end
        self._own_end = self._storage.last_position
        await asyncio.sleep(self._rest(max(linked)) if others_write else 0)
        return True

    def _rest(self, linked: int) -> float:
        """Seconds after a batch of so many events; the more came, the more are waited for."""
        waited_for = min(_MOST_REST, _EACH * linked) if linked < BATCH else 0.0
        return max(_LEAST_REST, waited_for, _REST * self._worked)

    async def _link_next(self, place: int, end: int) -> int:
        """Link one batch for all projections at that position. Returns how many events it had."""
        running = [found for found in self._running() if found.position == place]
        if place >= self._to_link or not self._storage.read_linkable(place, 1):
            for projection in running:  # links only: no commit is needed
                projection.skip_to(end)
            return 0
        runs = [projection.run for projection in running]
        keys = [projection.checkpoint_key for projection in running]

        def link(transaction: Transaction) -> tuple[list[Step], float]:
            began = time.thread_time()
            steps = link_batch(transaction, place, runs, keys)
            return steps, time.thread_time() - began

        steps, worked = await self._storage.write_in_time(link)
        self._worked += worked
        for projection, step in zip(running, steps, strict=True):
            projection.working_time += worked
            projection.take(step)
        return max([1, *(step.handled for step in steps)])
