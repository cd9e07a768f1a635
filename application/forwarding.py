"""The forwarder: follows the log and publishes what the service's contract makes of its events.

Records and the position go to the bus in one transaction, and a restart goes on from the position
that the bus holds. So readers of what is committed get each record once, whatever crashes when.
One forwarder is active at a time, by a lease. If two are, the bus lets only the newer one publish.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, Protocol

from application.backoff import Backoff
from application.ending import until_one_ends
from application.integration_events import Contract, Outgoing
from application.leading import LEASE, LeaseLost, leading
from application.log_end import LogEnd
from application.ports import (
    Bus,
    EventStore,
    Fenced,
    ForwarderStanding,
    Leases,
    PayloadStore,
    Publisher,
    StoreUnavailable,
    StreamUnusable,
    Subscriptions,
)
from application.projections.batching import batches
from application.projections.status import Progressing, RunnerStatus, now
from application.publishing_behind import PublishingBehind, as_it_is

BATCH: Final = 1_000  # events in one transaction, at most
APART: Final = 0.05  # seconds between transactions: each costs about that much, however small
LOOK: Final = 5.0  # seconds between looks at what the bus holds
LEASE_NAME: Final = "forwarder"

_BACKOFF: Final = Backoff(0.1, most=5.0)
_AGAIN: Final = (StoreUnavailable, Fenced, LeaseLost)
"""What ends by itself. After anything else, a person has to act."""


class AheadOfLog(Exception):
    """The bus holds events that the log does not: an older backup of the store was restored."""

    def __init__(self, position: int) -> None:
        super().__init__(
            f"what is on the bus goes up to position {position}, and this log does not have it: an "
            "older backup of the event store was restored. `bus replay --from end` goes on after "
            "the last event that there is"
        )


class Observer(Protocol):
    """Counts and logs what a forwarder does."""

    def published(self, records: int) -> None:
        """A transaction with that many records was committed."""
        ...

    def lost(self, error: Exception) -> None:
        """It cannot publish now, and tries again."""
        ...

    def failed(self, error: Exception) -> None:
        """It cannot publish until a person acts."""
        ...


class Forwarder:
    """The events of one service, on their way to the bus. ``run`` it as a task."""

    def __init__(
        self,
        contract: Contract,
        subscriptions: Subscriptions,
        streams: EventStore,
        payloads: PayloadStore | None,
        bus: Bus,
        leases: Leases,
        log_end: LogEnd,
        observer: Observer,
        *,
        holder: str,
        batch: int = BATCH,
        lease: float = LEASE,
        look: float = LOOK,
        pause: Callable[[int], Awaitable[None]] = _BACKOFF,
        clock: Callable[[], datetime] = now,
        sealed: Callable[[Outgoing], Awaitable[Outgoing]] = as_it_is,
    ) -> None:
        """``holder`` is a name that no other process has. ``sealed`` encrypts what is personal."""
        self._sealed = sealed
        self._contract, self._subscriptions = contract, subscriptions
        self._streams, self._payloads, self._bus = streams, payloads, bus
        self._leases, self._log_end, self._observer = leases, log_end, observer
        self._holder, self._batch, self._lease, self._apart = holder, batch, lease, look
        self._pause, self._clock, self._attempts = pause, clock, 0
        self._fault: Exception | None = None
        self._progress = Progressing(LEASE_NAME, clock)

    def status(self) -> RunnerStatus:
        return self._progress.status()

    @property
    def fault(self) -> str | None:
        """What keeps it from publishing, since it tried last."""
        return f"{self._fault}" if self._fault else None

    @property
    def needs_help(self) -> bool:
        """Whether it cannot publish until a person acts."""
        return self._fault is not None and not isinstance(self._fault, _AGAIN)

    async def run(self) -> None:
        """Publish until cancelled. Tries again after whatever happens, with a growing pause.

        While another forwarder is active, it waits. An event that cannot be published is tried
        again, too, and nothing after it is published before.
        """
        try:
            while True:
                try:
                    await leading(
                        self._forward, self._leases, LEASE_NAME, self._holder, seconds=self._lease
                    )
                except _AGAIN as error:
                    self._lost(error)
                except Exception as error:  # whatever it is: it must not go unnoticed
                    self._fault = error
                    self._progress.failed(error)
                    self._observer.failed(error)
                await self._pause(self._attempts)
                self._attempts += 1
        finally:
            self._progress.stopped()

    def _lost(self, error: Exception) -> None:
        status = self.status()
        self._observer.lost(error)
        if isinstance(error, LeaseLost):
            self._progress.stopped()
            self._fault = None
            return
        self._fault = error
        self._progress.lost(error)
        if status.position is not None:  # what was recorded since may be missing on the bus
            self._progress.working_on(status.missing_since or self._clock())

    async def _forward(self) -> None:
        async with self._bus.publisher() as publisher:
            await self._require_same_log(publisher.standing)
            await until_one_ends(self._follow(publisher), self._look(publisher.standing))

    async def _follow(self, publisher: Publisher) -> None:
        after = publisher.standing.position if publisher.standing else None
        self._progress.started(-1 if after is None else after)
        following = self._subscriptions.catch_up(after=after, only=self._contract.events)
        behind = PublishingBehind(
            publisher,
            self._contract,
            self._payloads,
            self._progress,
            self._observer.published,
            holder=self._holder,
            clock=self._clock,
            sealed=self._sealed,
        )
        async with (
            following as messages,
            batches(messages, size=self._batch, apart=lambda: APART) as incoming,
            behind,
        ):
            async for batch in incoming:
                await behind.take(batch)
                self._attempts, self._fault = 0, None

    async def _look(self, opened: ForwarderStanding | None) -> None:
        """Raises ``Fenced`` when the position was moved: without events, it would go unnoticed."""
        while True:
            await asyncio.sleep(self._apart)
            found = await self._bus.standing()
            if found != opened and (found is None or found.holder != self._holder):
                raise Fenced("the position was moved")

    async def _require_same_log(self, standing: ForwarderStanding | None) -> None:
        """Raises :class:`AheadOfLog` unless this log has what was published last."""
        if standing is None:
            return
        if await self._log_end.is_beyond(standing.position):
            raise AheadOfLog(standing.position)
        if (last := standing.last) is None:
            return
        try:
            events = self._streams.read(last.stream, from_version=last.version, limit=1)
            there = [recorded.id async for recorded in events]
        except StreamUnusable:  # operators can remove a stream: that is no sign of another log
            return
        if there != [last.id]:
            raise AheadOfLog(standing.position)
