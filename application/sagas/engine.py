"""The plain engine: sagas on the event store alone.

Any number of engines may work at once: a saga moves on by an append with its exact version, so one
of them advances it, and the others see that and look again. What was begun and not recorded as
done is performed again, which is safe, since every action can be repeated.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any
from weakref import WeakValueDictionary

from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.ports import EventStore
from application.sagas.addressing import Addressing
from application.sagas.attempting import Perform, attempt
from application.sagas.clock import STEADY
from application.sagas.driving import Observer
from application.sagas.events import SagaEvent
from application.sagas.outcomes import Faulted, StepOutcome
from application.sagas.progress import (
    Do,
    NextAction,
    Undo,
    arrival,
    awaiting,
    cancellation,
    next_action,
    patience,
    record,
    settle,
)
from application.sagas.saga import Saga
from application.sagas.state import SagaState, evolve
from application.sagas.stream import SagaStream


def _unobserved(saga: str, before: SagaState, event: SagaEvent, age: timedelta) -> None:
    """Nothing observes."""


async def _pause() -> None:
    await asyncio.sleep(1)


class SagaEngine:
    """Moves sagas of one name on, each under the definition that it was started with."""

    def __init__(
        self,
        versions: Sequence[Saga[Any]],
        own: EventFilter,
        store: EventStore,
        perform: Perform,
        *,
        now: Callable[[], datetime] = STEADY,
        chance: Callable[[], float] = random.random,
        observe: Observer = _unobserved,
        pause: Callable[[], Awaitable[None]] = _pause,
    ) -> None:
        """``versions``: every definition that was ever released, the newest last.

        ``own``: all events of the service, among which are those that start and end sagas.
        """
        self._addressing = Addressing(versions, own)
        self.newest = versions[-1]
        self._store, self._perform = store, perform
        self._now, self._chance, self._observe, self._pause = now, chance, observe, pause
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def events(self) -> EventFilter:
        """The events that it handles."""
        return self._addressing.events

    async def handle(self, recorded: RecordedEvent) -> None:
        """Advance the sagas of this event until they wait, end, or need an operator.

        Idempotent. Raises ``StoreUnavailable``, and any bug; the saga is unchanged then. Raises
        ``NotHere`` if a newer release has begun it.
        """
        if self._addressing.starts(recorded) and not self.newest.started_by(recorded):
            return  # most of a history that is brought in, so nothing is read for it
        for id in self._addressing.about(recorded):
            async with self._turns.setdefault(id, asyncio.Lock()):  # engines meet at the store only
                await self._move(id, recorded)

    async def _move(self, id: str, recorded: RecordedEvent) -> None:
        stream = SagaStream(self._store, self.newest.name, id)
        if not self._addressing.starts(recorded):  # else it is new, or that is found out
            await stream.read()
        if stream.state.status is None and not await self._start(stream, recorded):
            return
        if recorded.type == self._definition(stream.state).cancels.__name__:
            await self._cancel(stream, recorded)
        if recorded.type in self._addressing.awaited:
            await self._arrive(stream, recorded)
        await self._advance(stream)

    async def _start(self, stream: SagaStream, recorded: RecordedEvent) -> bool:
        """Start it by the event that starts it, also when a later one comes first."""
        first = await self._addressing.beginning(stream.id, recorded, self._store)
        facts = self.newest.started_by(first) if first else None
        if first is None or facts is None:
            return False  # nothing has started a saga with this id
        stream.caused_by(first)
        started = self.newest.start(facts)
        follows = settle(self.newest, evolve(stream.state, started), self._now())
        await self._record(stream, [started, *follows])
        return True

    async def _cancel(self, stream: SagaStream, recorded: RecordedEvent) -> None:
        reason, by = getattr(recorded.event, "reason", recorded.type), recorded.metadata.actor
        while ordered := cancellation(stream.state, by, reason):
            await self._record(stream, [ordered])

    async def _arrive(self, stream: SagaStream, recorded: RecordedEvent) -> None:
        """Keep an event that a step waits for. Kept once, another delivery changes nothing."""
        while True:
            saga = self._definition(stream.state)
            steps = awaiting(saga, stream.id, recorded)
            arrived = arrival(stream.state, steps, str(recorded.id))
            if arrived is None:
                return
            follows = settle(saga, evolve(stream.state, arrived), self._now())
            await self._record(stream, [arrived, *follows])

    async def _advance(self, stream: SagaStream) -> None:
        settled = False
        while True:
            saga = self._definition(stream.state)
            if not settled and (events := settle(saga, stream.state, self._now())):
                settled = await self._record(stream, events)
                continue
            action = next_action(saga, stream.state)
            if action is None or stream.state.asleep(self._now()):
                return
            outcome = await self._outcome(stream, action)
            event = record(saga, stream.state, action, outcome, self._now(), self._chance())
            follows = settle(saga, evolve(stream.state, event), self._now())
            if not (settled := await self._record(stream, [event, *follows])):
                await self._undo_what_came_too_late(stream, action)

    async def _undo_what_came_too_late(self, stream: SagaStream, action: NextAction[Any]) -> None:
        """Another engine has given the step up and undone it, while this one was still at it."""
        state, step = stream.state, action.step
        if (
            isinstance(action, Do)
            and state.reason
            and step.name not in (*state.to_undo, *state.done)
        ):
            saga = self._definition(state)
            undo = Undo(step, step.undo(saga.known(state), state.reason))
            while isinstance(await self._outcome(stream, undo), Faulted):
                await self._pause()

    async def _outcome(self, stream: SagaStream, action: NextAction[Any]) -> StepOutcome:
        saga, now = self._definition(stream.state), self._now()
        return await attempt(
            action,
            self._perform,
            self._store,
            stream.context(f"{type(action).__name__} {action.step.name}", now),
            patience(saga, stream.state, action, now),
        )

    def _definition(self, state: SagaState) -> Saga[Any]:
        return self._addressing.definition(state.version)

    async def _record(self, stream: SagaStream, events: Sequence[SagaEvent]) -> bool:
        """Add these; ``False`` when another engine was first."""
        before, now = stream.state, self._now()
        if not await stream.append(events, now):
            return False
        states = accumulate(events[:-1], evolve, initial=before)
        for state, event in zip(states, events, strict=True):
            self._observe(stream.saga, state, event, stream.age(now))
        return True
