"""Elections after a member is lost, comes back or resigns, with the timing of the server."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final

from embedded_eventstoredb.cluster import Cluster
from embedded_eventstoredb.replication import Reach, Replication

_ANNOUNCED: Final = 0.64  # fraction of an election after which gossip names the new leader
_RESIGNATION: Final = 0.28
_COMMIT_TIMEOUT: Final = 2.0
_ALONE: Final = 3.12  # time until a leader without followers resigns


class Elections:
    """Runs one election at a time; a later one replaces an earlier one."""

    def __init__(
        self,
        cluster: Cluster,
        replication: Replication,
        seconds: float,
        drop_consumers: Callable[[], Coroutine[None, None, None]],
    ) -> None:
        """``seconds`` pass from the loss of a leader to the first append that the next one accepts.

        Other times are in proportion. ``drop_consumers`` is called when a leadership ends.
        """
        self._cluster = cluster
        self._replication = replication
        self._seconds = seconds
        self._drop_consumers = drop_consumers
        self._change: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Make the first member the leader at once, when the node starts."""
        self._cluster.elect()
        self._settle()

    def reconsider(self) -> None:
        """React to a member that was lost, or is back."""
        cluster = self._cluster
        if cluster.leader is None:
            self._end_leadership()
            self._start(self._elect(1.0) if cluster.has_majority else self._drop_consumers())
        elif not cluster.has_majority:
            self._replication.reach(Reach.LEADER, _COMMIT_TIMEOUT * self._seconds)
            self._start(self._notice())
        elif cluster.settled:
            self._cancel()
            self._settle()

    def resign(self, successor: int | None = None) -> None:
        """Have the leader resign in favour of that member (None: the next one), which may be the
        same.
        """
        if self._cluster.leader is not None and self._cluster.has_majority:
            self._end_leadership()
            self._start(self._elect(_RESIGNATION, successor))

    def stop(self) -> None:
        """Cancel a running election."""
        self._cancel()

    async def _elect(self, pace: float, leader: int | None = None) -> None:
        await self._drop_consumers()
        await asyncio.sleep(_ANNOUNCED * pace * self._seconds)
        self._cluster.elect(leader)
        await asyncio.sleep((1 - _ANNOUNCED) * pace * self._seconds)
        self._settle()

    async def _notice(self) -> None:
        await asyncio.sleep(_ALONE * self._seconds)
        self._end_leadership()
        await self._drop_consumers()

    def _end_leadership(self) -> None:
        self._cluster.dissolve()
        self._replication.reach(Reach.NOBODY)

    def _settle(self) -> None:
        self._cluster.settled = True
        self._replication.reach(Reach.MAJORITY)

    def _start(self, change: Coroutine[None, None, None]) -> None:
        self._cancel()
        self._change = asyncio.create_task(change)

    def _cancel(self) -> None:
        if self._change is not None:
            self._change.cancel()
