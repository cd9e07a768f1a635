"""Wakes sagas when they are due: to retry, to stop waiting, or to be checked.

The moments come from the events of sagas, so they are durable. A process that finds
one due appends ``SagaWoken`` at the version it read. Of several processes, one succeeds, and the
saga's consumer group hands the event to one engine. After every 10,000 events all moments are kept
in one event (stream: ``deadlines-<saga>``), so that a start does not read the whole log.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from application.backoff import Backoff
from application.event_filter import EventFilter
from application.log_end import LogEnd
from application.messages import Context, RecordedEvent, UnreadableEvent
from application.own_events import OWN
from application.ports import (
    NO_STREAM,
    EventStore,
    PayloadUnavailable,
    StoreUnavailable,
    StreamUnusable,
    Subscriptions,
    WrongExpectedVersion,
)
from application.sagas.clock import STEADY
from application.sagas.events import DEADLINES, DeadlinesKept, SagaWoken
from application.sagas.moments import UNSEEN, events_of, moment_of
from application.sagas.state import AT_WORK
from application.sagas.stream import SagaStream

KEEP_AFTER: Final = 10_000  # events, or a quarter of the moments, whichever is more
AT_ONCE: Final = 16  # sagas that are woken together

_BACKOFF: Final = Backoff(0.1, most=5.0)


class Deadlines:
    """The moments of all sagas of one name. ``run`` it as a task, in any number of processes."""

    def __init__(
        self,
        saga: str,
        store: EventStore,
        subscriptions: Subscriptions,
        log_end: LogEnd | None = None,
        *,
        now: Callable[[], datetime] = STEADY,
        pause: Callable[[int], Awaitable[None]] = _BACKOFF,
        keep_after: int = KEEP_AFTER,
    ) -> None:
        self._saga, self._store, self._subscriptions = saga, store, subscriptions
        self._log_end, self._breaks = log_end, 0
        self._now, self._pause, self._keep_after = now, pause, keep_after
        self._moments: dict[str, datetime] = {}  # by the saga's id
        self._queue: list[tuple[datetime, str]] = []  # the same and some outdated, first one first
        self._position: int | None = None
        self._unkept = 0  # events since the moments were kept
        self._end_seen, self._news = asyncio.Event(), asyncio.Event()

    @property
    def events(self) -> EventFilter:
        """The events to :meth:`learn` from: of sagas of this name, and no others."""
        return events_of(self._saga)

    @property
    def moments(self) -> Mapping[str, datetime]:
        """When each saga that is not at its end has to be looked at."""
        return self._moments

    async def run(self) -> None:
        """Follow events and wake sagas until cancelled, also after outages."""
        async with asyncio.TaskGroup() as tasks:
            name = f"deadlines {self._saga}"
            tasks.create_task(self._follow_for_ever(), name=name)
            tasks.create_task(self._wake_for_ever(), name=name)

    async def caught_up(self) -> None:
        """Wait until all events of the store have been read."""
        await self._end_seen.wait()

    # ── learning ─────────────────────────────────────────────────────────────────────────────────

    async def _follow_for_ever(self) -> None:
        while True:
            with suppress(StoreUnavailable, PayloadUnavailable):
                if self._position is not None and await self._is_beyond(self._position):
                    self._forget()
                if self._position is None:
                    await self.recall()
                await self._follow()
            await self._pause(self._breaks)
            self._breaks += 1

    async def _is_beyond(self, position: int) -> bool:
        return self._log_end is not None and await self._log_end.is_beyond(position)

    def _forget(self) -> None:
        """Forget everything: an older log was restored."""
        self._position = None
        self._moments.clear()
        self._queue.clear()
        self._unkept = 0

    async def _follow(self) -> None:
        following = self._subscriptions.catch_up(after=self._position, only=self.events)
        async with following as messages:
            async for message in messages:
                if isinstance(message, RecordedEvent):
                    self.learn(message)
                elif message.caught_up:
                    self._end_seen.set()
                self._position, self._breaks = message.position, 0
                if self._unkept >= max(self._keep_after, len(self._moments) // 4):
                    await self.keep()

    def learn(self, recorded: RecordedEvent) -> None:
        """Update the moment of a saga by one of its events."""
        self._unkept += 1
        id, moment = recorded.stream_id, moment_of(recorded, self._now())
        if moment is None:
            self._moments.pop(id, None)
        else:
            self._set(id, moment)

    async def recall(self) -> None:
        """Continue from the moments that were stored last; without them, from the first event."""
        with suppress(StreamUnusable, UnreadableEvent):
            await self._recall()

    async def _recall(self) -> None:
        async for recorded in self._store.read(self._stream, backwards=True, limit=1):
            kept: Any = recorded.event
            kept_at = recorded.occurred_at
            assert isinstance(kept, DeadlinesKept)
            self._position = kept.position
            for id, milliseconds in kept.moments.items():
                moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
                self._set(id, min(moment, self._now() + (moment - kept_at)))

    async def keep(self) -> None:
        """Store the moments, unless another process has just done so.

        If their stream was deleted, they are not stored: each start then reads all events.
        """
        self._unkept = 0
        if self._position is not None:
            with suppress(WrongExpectedVersion, StreamUnusable):
                await self._keep(self._position)

    async def _keep(self, position: int) -> None:
        version = NO_STREAM
        async for recorded in self._store.read(self._stream, backwards=True, limit=1):
            version = recorded.version
        moments = {id: int(at.timestamp() * 1000) for id, at in self._moments.items()}
        kept = DeadlinesKept(position=position, moments=moments)
        event = OWN.new_event(kept, uuid4(), Context.start(self._saga, uuid4(), self._now()))
        await self._store.append(self._stream, [event], version)

    @property
    def _stream(self) -> str:
        return DEADLINES.stream(self._saga)

    def _set(self, id: str, moment: datetime) -> None:
        self._moments[id] = moment
        heapq.heappush(self._queue, (moment, id))
        if self._queue[0] == (moment, id):  # before all others: what waits for those waits anew
            self._news.set()

    # ── waking ───────────────────────────────────────────────────────────────────────────────────

    async def _wake_for_ever(self) -> None:
        attempts = 0
        await self.caught_up()
        while True:
            self._news.clear()
            try:
                await self.wake()
                attempts = 0
            except StoreUnavailable:
                await self._pause(attempts)
                attempts += 1
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(self._until_next()):
                    await self._news.wait()

    def _until_next(self) -> float | None:
        if not self._queue:
            return None
        return max(0.0, (self._queue[0][0] - self._now()).total_seconds())

    async def wake(self) -> None:
        """Wake every saga whose moment has come. Raises ``StoreUnavailable``; then try again."""
        due = self._due()
        while together := due[:AT_ONCE]:
            await asyncio.gather(*(self._wake(id) for id in together))
            del due[:AT_ONCE]

    def _due(self) -> list[str]:
        due: dict[str, None] = {}
        while self._queue and self._queue[0][0] <= self._now():
            moment, id = heapq.heappop(self._queue)
            if self._moments.get(id) == moment:
                due[id] = None
        return list(due)

    async def _wake(self, id: str) -> None:
        self._set(id, self._now() + UNSEEN)  # it is looked at again, should anything go wrong
        with suppress(StreamUnusable, UnreadableEvent):  # others are woken
            await self._wake_seen(id)

    async def _wake_seen(self, id: str) -> None:
        stream = await SagaStream(self._store, self._saga, id).read()
        if stream.state.status not in AT_WORK:
            self._moments.pop(id, None)
            return
        due = stream.state.due or stream.changed_at + UNSEEN
        if due > self._now():
            self._set(id, due)
        else:
            await stream.append(
                [SagaWoken(due=due)], self._now(), actor=f"deadline of {self._saga}"
            )
