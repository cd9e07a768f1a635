"""The activities of a saga's workflow: they append, read and perform, and decide nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from temporalio import activity

from application.messages import NewEvent
from application.own_events import OWN
from application.ports import EventStore, WrongExpectedVersion
from application.sagas.attempting import Perform, attempt
from application.sagas.driving import Observer
from application.sagas.fold import SagaFold
from application.sagas.outcomes import Succeeded
from application.sagas.progress import Do, NextAction, Undo
from application.sagas.state import SagaState, evolve
from application.sagas.stream import SagaStream
from infrastructure.temporal.definitions import Definitions
from infrastructure.temporal.failures import failure
from infrastructure.temporal.messages import Attempt, Decision

BEAT: Final = 3.0  # seconds between two signs of life


class SagaActivities:
    """Each can be repeated: appends by their events' ids, actions by their commands' and keys."""

    def __init__(
        self, definitions: Definitions, store: EventStore, perform: Perform, observe: Observer
    ) -> None:
        self._definitions, self._store = definitions, store
        self._perform, self._observe = perform, observe

    @property
    def all(self) -> Sequence[Callable[..., Any]]:
        """What a worker registers."""
        return [self.append, self.read, self.perform]

    @activity.defn
    async def append(self, decision: Decision) -> SagaFold | None:
        """Append what was decided; the saga as it is now, where another was first."""
        stream = SagaStream(self._store, decision.saga, decision.id)
        try:
            await self._store.append(stream.name, decision.events, decision.expected)
        except WrongExpectedVersion:
            return await stream.read()
        self._observed(decision)
        return None

    @activity.defn
    async def read(self, saga: str, id: str) -> SagaFold:
        """The saga as its stream says."""
        return await SagaStream(self._store, saga, id).read()

    @activity.defn
    async def perform(self, todo: Attempt) -> None:
        """Perform a step's actions, or undo it. Raises ``ApplicationError`` for other outcomes."""
        async with _alive():
            outcome = await attempt(
                self._action(todo), self._perform, self._store, todo.context, todo.patience
            )
        if not isinstance(outcome, Succeeded):
            raise failure(outcome)

    def _action(self, todo: Attempt) -> NextAction[Any]:
        saga = self._definitions.of(todo.saga, todo.version)
        step, facts = saga.step(todo.step), saga.known(SagaState(facts=todo.facts))
        if todo.does == "Undo":
            return Undo(step, step.undo(facts, todo.reason))
        return Do(step, step.act(facts), step.checks(facts) if step.checks else ())

    def _observed(self, decision: Decision) -> None:
        state = decision.before
        for new in decision.events:
            event: Any = _decoded(new)
            self._observe(decision.saga, state, event, decision.age)
            state = evolve(state, event)


def _decoded(new: NewEvent) -> Any:
    return OWN.decode(new.type, new.metadata.schema_version, new.data)


@asynccontextmanager
async def _alive() -> AsyncIterator[None]:
    """Give signs of life as long as the block lasts."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(BEAT)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
