"""Runs one projection: follow the events, fold them into views, keep views and checkpoint.

Idempotent: an event at or before the checkpoint, or before what a view has seen, changes nothing.
Independent: a runner knows one projection only, and stops alone when that fails on an event.
While it is behind, a batch is folded as the one before it is written; still one after the other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, Generic
from uuid import UUID

from application.backoff import Backoff
from application.claim_check import claim_all
from application.log_end import LogEnd
from application.messages import RecordedEvent
from application.ports import (
    Changed,
    CheckpointMoved,
    PayloadStore,
    Progress,
    Promise,
    StoreUnavailable,
    Subscriptions,
    V,
    WritableViews,
)
from application.projections.batching import Batch, Message, batches
from application.projections.builds import WHOLE, Shard
from application.projections.folding import projected
from application.projections.projection import Projection
from application.projections.recent import KEPT, RecentViews
from application.projections.status import Progressing, Status, now

BATCH = 1000  # events in one transaction, at most
APART = 0.01  # seconds between transactions while events trickle in: many in one, none late
FAR_APART = 0.1  # the same until it has caught up: there is no hurry before, and much to do
NOTHING = -1  # the position before the first event
KEEP_PROGRESS = 1.0  # seconds between writes that only say "nothing for us up to here"

_BACKOFF: Final = Backoff(0.1, most=5.0)


class ProjectionFailed(Exception):
    """A projection cannot take in an event. It stays where it is: everything before is in."""

    def __init__(self, name: str, recorded: RecordedEvent, cause: Exception) -> None:
        self.name, self.position, self.event_id = name, recorded.position, recorded.id
        self.event = f"{recorded.type} {recorded.stream}@{recorded.version}"
        self.error = f"{type(cause).__name__}: {cause}"
        super().__init__(
            f"{name} stopped at position {self.position}: {self.event} ({self.event_id}): "
            f"{self.error}"
        )


class AheadOfLog(ProjectionFailed):
    """A checkpoint lies beyond the end of the log: the views show events that are not there."""

    def __init__(self, name: str, position: int) -> None:
        self.name, self.position, self.event_id = name, position, UUID(int=0)
        self.event = "no event"
        self.error = (
            "its checkpoint lies beyond the end of the log, so an older backup of the event store "
            f"was restored: `headwater projections deploy {name} --accept-differences`"
        )
        Exception.__init__(self, f"{name} stopped at position {position}: {self.error}")


class _NotWritten(Exception):
    """A batch cannot be written, and the next was folded upon it: back to the checkpoint."""


_AGAIN = (StoreUnavailable, CheckpointMoved, _NotWritten)  # what following anew may mend


class ProjectionRunner(Generic[V]):
    """One projection at work. ``run`` it as a task, ask its ``status`` at any time."""

    def __init__(
        self,
        projection: Projection[V],
        subscriptions: Subscriptions,
        views: WritableViews[V],
        payloads: PayloadStore | None,
        *,
        log_end: LogEnd | None = None,
        shard: Shard = WHOLE,
        skipped: Collection[UUID] = frozenset(),
        batch: int = BATCH,
        pause: Callable[[int], Awaitable[None]] = _BACKOFF,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """It takes in the keys of its shard, and passes by the events that are to be skipped.

        With ``log_end`` it fails on a checkpoint that lies beyond (:class:`AheadOfLog`).
        """
        self.projection = projection
        self._subscriptions, self._payloads = subscriptions, payloads
        # Parts and views that are not written together are loaded together: see gathering.py.
        self._anew = views.promise is Promise.AFTER and projection.parts is not None
        self._views, self._log_end = RecentViews(views, 0 if self._anew else KEPT), log_end
        self._shard, self._skipped = shard, skipped
        self._inline = projection.consistency == "inline"
        self._batch, self._pause = batch, pause
        self._attempts = 0
        self._checkpoint = NOTHING
        self._saved_at = 0.0
        self._in_flight = (NOTHING, 0, NOTHING)  # written now: from where, events, up to where
        self._live = False
        self._careful = False  # nothing is written behind until one batch is in
        self._progress = Progressing(projection.name, clock)

    def status(self) -> Status:
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
                except _AGAIN as error:
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
        checkpoint = await self._look()
        if self._log_end and await self._log_end.is_beyond(self._checkpoint):
            raise AheadOfLog(self.projection.name, self._checkpoint)
        self._live = False
        self._progress.started(self._checkpoint)
        following = self._subscriptions.catch_up(after=checkpoint, only=self.projection.events)
        try:
            async with (
                following as messages,
                batches(messages, size=self._batch, apart=self._apart) as incoming,
            ):
                async for batch in incoming:
                    await self._handle(batch)
        finally:
            await self._views.abandon()

    def _apart(self) -> float:
        return APART if self._live else FAR_APART

    async def _look(self) -> int | None:
        checkpoint = await self._views.checkpoint()
        self._checkpoint = NOTHING if checkpoint is None else checkpoint
        return checkpoint

    async def _handle(self, batch: Batch) -> None:
        if self._inline:  # whoever appended has taken in what comes now, unless it was behind
            await self._look()
            self._progress.took_in(0, self._checkpoint)
        events = list(_after(self._checkpoint, batch.messages))
        end = max(message.position for message in batch.messages)
        if events:
            await self._take_in(events, end, ahead=self._may_go_ahead(batch))
        else:
            await self._pass_by(end)
        for message in batch.messages:
            if isinstance(message, Progress):
                self._live = self._live or message.caught_up  # it is said once
        if not self._views.saving:
            self._attempts = 0
        if self._live and not batch.behind:
            self._progress.live()
        else:
            self._progress.behind()

    def _may_go_ahead(self, batch: Batch) -> bool:
        """Only when far behind: else its events shall be seen before others are worked on."""
        careful = self._careful or self._inline or self._anew
        return batch.behind >= self._batch and not careful

    async def _take_in(
        self, events: Sequence[RecordedEvent], end: int, *, ahead: bool = False
    ) -> None:
        """``ahead``: there is no need to wait until they are written."""
        if not self._views.saving:
            self._progress.working_on(events[0].recorded_at)
        try:
            await self._project(events, end)
            if not ahead:
                await self._written()
        except _AGAIN:
            raise
        except Exception as error:
            await self._settle()
            if len(events) == 1:
                self._progress.working_on(events[0].recorded_at)
                raise ProjectionFailed(self.projection.name, events[0], error) from error
            for recorded in events:  # one by one: all before the bad one is taken in
                await self._take_in([recorded], recorded.position)

    async def _pass_by(self, end: int) -> None:
        await self._settle()
        if end <= self._checkpoint:
            return
        if not self._inline and self._now() > self._saved_at + KEEP_PROGRESS:
            self._save({}, {}, 0, end)
            await self._written()
        else:
            self._progress.took_in(0, end)

    async def _project(self, events: Sequence[RecordedEvent], end: int) -> None:
        whole = await claim_all(self._wanted(events), self._payloads)
        views, parts = await projected(self.projection, whole, self._views, self._shard)
        await self._settle()
        self._progress.working_on(events[0].recorded_at)
        self._save(views, parts, len(events), end)

    def _wanted(self, events: Sequence[RecordedEvent]) -> Sequence[RecordedEvent]:
        if not self._skipped:
            return events
        return [recorded for recorded in events if recorded.id not in self._skipped]

    def _save(self, views: Changed[V], parts: Changed[Any], events: int, end: int) -> None:
        """Begin to write; the checkpoint is where the next write will expect it."""
        expected = None if self._checkpoint == NOTHING else self._checkpoint
        self._views.save(views, parts=parts, events=events, checkpoint=end, expected=expected)
        self._checkpoint, self._in_flight = end, (self._checkpoint, events, end)

    async def _written(self) -> None:
        """Wait until what was begun to be written is in the views; raises why it is not."""
        if not self._views.saving:
            return
        start, events, end = self._in_flight
        try:
            await self._views.saved()
        except BaseException:
            self._checkpoint = start
            raise
        self._progress.took_in(events, end)
        self._saved_at, self._careful = self._now(), False

    async def _settle(self) -> None:
        """The same, of the batch before: an event in it that cannot be written is looked for."""
        try:
            await self._written()
        except _AGAIN:
            raise
        except Exception as error:
            self._careful = True
            raise _NotWritten(f"{self.projection.name} cannot be written: {error}") from error

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _after(checkpoint: int, messages: Iterable[Message]) -> Iterator[RecordedEvent]:
    """The events among them that are not in the views yet, each once."""
    for message in messages:
        if isinstance(message, RecordedEvent) and message.position > checkpoint:
            checkpoint = message.position
            yield message
