"""Runs one projection: follow the events, fold them into views, keep views and checkpoint.

Idempotent: an event at or before the checkpoint, or before what a view has seen, changes nothing.
Independent: a runner knows one projection only, and stops alone when that fails on an event.
While it is behind, a batch is folded as the one before it is written; still one after the other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, Generic
from uuid import UUID

from application.backoff import Backoff
from application.claimed_once import ClaimedOnce
from application.log_end import LogEnd
from application.messages import RecordedEvent
from application.ports import (
    Progress,
    Subscriptions,
    V,
    WritableViews,
)
from application.projections.batching import Batch, Message, batches
from application.projections.builds import WHOLE, Shard
from application.projections.failures import AheadOfLog, ProjectionFailed
from application.projections.folding import projected
from application.projections.projection import Projection
from application.projections.status import Progressing, RunnerStatus, now
from application.projections.writing_behind import AGAIN, WritingBehind

BATCH = 1000  # events in one transaction, at most
APART = 0.01  # seconds between transactions while events trickle in: many in one, none late
FAR_APART = 0.1  # the same until it has caught up: there is no hurry before, and much to do
KEEP_PROGRESS = 1.0  # seconds between writes that move the checkpoint only

_BACKOFF: Final = Backoff(0.1, most=5.0)


class ProjectionRunner(Generic[V]):
    """One projection at work. ``run`` it as a task; ``status`` can be called at any time."""

    def __init__(
        self,
        projection: Projection[V],
        subscriptions: Subscriptions,
        views: WritableViews[V],
        claims: ClaimedOnce | None,
        *,
        log_end: LogEnd | None = None,
        shard: Shard = WHOLE,
        skipped: Collection[UUID] = frozenset(),
        prepare: Callable[[], Awaitable[None]] | None = None,
        batch: int = BATCH,
        pause: Callable[[int], Awaitable[None]] = _BACKOFF,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """It takes in the keys of its shard, and passes by the events that are to be skipped.
        ``prepare`` makes room for the views, before it follows for the first time.

        With ``log_end`` it fails on a checkpoint that lies beyond (:class:`AheadOfLog`).
        """
        self.projection = projection
        self._subscriptions, self._claims = subscriptions, claims or ClaimedOnce(None)
        self._log_end, self._shard, self._skipped = log_end, shard, skipped
        self._inline = projection.consistency == "inline"
        self._batch, self._pause, self._prepare = batch, pause, prepare
        self._attempts, self._live = 0, False
        self._progress = Progressing(projection.name, clock)
        self._writing = WritingBehind(projection, views, self._progress)

    def status(self) -> RunnerStatus:
        return self._progress.status()

    async def run(self) -> None:
        """Follow the events for ever; while a store does not answer, try again.

        Cancelled, it leaves no half-written batch. Raises :class:`ProjectionFailed` when an event
        cannot be taken in; everything before that event is in the views.
        """
        try:
            while True:
                try:
                    await self._follow()
                except AGAIN as error:
                    self._progress.lost(error)
                    await self._pause(self._attempts)
                    self._attempts += 1
        except asyncio.CancelledError:
            self._progress.stopped()
            raise
        except Exception as failure:
            self._progress.failed(failure)
            raise

    async def _follow(self) -> None:
        if self._prepare:
            await self._prepare()
            self._prepare = None  # views that are dropped meanwhile are not to come back
        checkpoint = await self._writing.look()
        if self._log_end and await self._log_end.is_beyond(self._writing.checkpoint):
            raise AheadOfLog(self.projection.name, self._writing.checkpoint)
        self._live = False
        self._progress.started(self._writing.checkpoint)
        following = self._subscriptions.catch_up(after=checkpoint, only=self.projection.events)
        try:
            async with (
                following as messages,
                batches(messages, size=self._batch, apart=self._apart) as incoming,
            ):
                async for batch in incoming:
                    await self._handle(batch)
        finally:
            await self._writing.views.abandon()

    def _apart(self) -> float:
        return APART if self._live else FAR_APART

    async def _handle(self, batch: Batch) -> None:
        if self._inline:  # the append has taken in what comes now, unless it was behind
            await self._writing.look()
            self._progress.took_in(0, self._writing.checkpoint)
        events = list(_after(self._writing.checkpoint, batch.messages))
        end = max(message.position for message in batch.messages)
        if events:
            await self._take_in(events, end, ahead=self._may_go_ahead(batch))
        else:
            await self._pass_by(end)
        for message in batch.messages:
            if isinstance(message, Progress):
                self._live = self._live or message.caught_up  # it comes once
        if not self._writing.views.saving:
            self._attempts = 0
        if self._live and not batch.behind:
            self._progress.live()
        else:
            self._progress.behind()

    def _may_go_ahead(self, batch: Batch) -> bool:
        """Only when far behind: else its events shall be seen before others are worked on."""
        return batch.behind >= self._batch and self._writing.may_go_ahead

    async def _take_in(
        self, events: Sequence[RecordedEvent], end: int, *, ahead: bool = False
    ) -> None:
        """``ahead``: there is no need to wait until they are written."""
        if not self._writing.views.saving:
            self._progress.working_on(events[0].recorded_at)
        try:
            await self._project(events, end)
            if not ahead:
                await self._writing.written()
        except AGAIN:
            raise
        except Exception as error:
            await self._writing.settle()
            if len(events) == 1:
                self._progress.working_on(events[0].recorded_at)
                raise ProjectionFailed(self.projection.name, events[0], error) from error
            for recorded in events:  # one by one: all before the bad one is taken in
                await self._take_in([recorded], recorded.position)

    async def _pass_by(self, end: int) -> None:
        await self._writing.settle()
        if end <= self._writing.checkpoint:
            return
        if not self._inline and self._now() > self._writing.saved_at + KEEP_PROGRESS:
            self._writing.begin({}, {}, 0, end)
            await self._writing.written()
        else:
            self._progress.took_in(0, end)

    async def _project(self, events: Sequence[RecordedEvent], end: int) -> None:
        whole = await self._claims.all(self._wanted(events))
        views, parts = await projected(self.projection, whole, self._writing.views, self._shard)
        await self._writing.settle()
        self._progress.working_on(events[0].recorded_at)
        self._writing.begin(views, parts, len(events), end)

    def _wanted(self, events: Sequence[RecordedEvent]) -> Sequence[RecordedEvent]:
        if not self._skipped:
            return events
        return [recorded for recorded in events if recorded.id not in self._skipped]

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _after(checkpoint: int, messages: Iterable[Message]) -> Iterator[RecordedEvent]:
    """The events among them that are not in the views yet, each once."""
    for message in messages:
        if isinstance(message, RecordedEvent) and message.position > checkpoint:
            checkpoint = message.position
            yield message
