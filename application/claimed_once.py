"""Followers of one process get a large event whole from one fetch, and decode it once.

Personal data is opened for each of them anew: a key that is destroyed leaves nothing readable here.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from application.claim_check import claim_all, fetched, opened, refers
from application.messages import RecordedEvent
from application.ports import PayloadStore

KEPT: Final = 16 * 1024 * 1024  # bytes of data in memory, for followers that come a little later


class ClaimedOnce:
    """Remembers the last large events, as stored, so followers at about one position share them."""

    def __init__(self, payloads: PayloadStore | None, *, kept: int = KEPT) -> None:
        """``kept``: how many bytes of data it remembers."""
        self._payloads, self._kept, self._size = payloads, kept, 0
        self._claims: OrderedDict[UUID, asyncio.Task[RecordedEvent]] = OrderedDict()

    async def all(self, events: Sequence[RecordedEvent]) -> Sequence[RecordedEvent]:
        """The events with their full data. Raises as :func:`~application.claim_check.claim`."""
        if self._payloads is None or not any(map(refers, events)):
            return await claim_all(events, self._payloads)
        return await opened(await asyncio.gather(*map(self._one, events)))

    async def _one(self, recorded: RecordedEvent) -> RecordedEvent:
        if not refers(recorded):
            return recorded
        found = self._claims.get(recorded.id) or self._begin(recorded)
        self._claims.move_to_end(recorded.id)
        return await asyncio.shield(found)  # others may wait for it, too

    def _begin(self, recorded: RecordedEvent) -> asyncio.Task[RecordedEvent]:
        task = asyncio.create_task(fetched(recorded, self._payloads), name="claim")
        self._claims[recorded.id] = task
        task.add_done_callback(lambda done: self._fetched(recorded.id, done))
        return task

    def _fetched(self, id: UUID, claimed: asyncio.Task[RecordedEvent]) -> None:
        if claimed.cancelled() or claimed.exception():
            del self._claims[id]  # the next follower tries again
            return
        self._size += len(claimed.result().data)
        for oldest in [*self._claims]:
            if self._size <= self._kept:
                return
            if (task := self._claims[oldest]).done():
                del self._claims[oldest]
                self._size -= len(task.result().data)
