"""The workflow of a saga: a deterministic loop around the saga's own pure functions.

Nothing here asks a clock, makes an id, or does I/O: Temporal's clock and ids are replayed, and
activities do the rest. A released workflow is never changed: what replays another way comes behind
``workflow.patched``, and recorded histories are replayed in the tests.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from application.sagas.events import SagaEvent, SagaWoken
    from application.sagas.progress import next_action, record, settle
    from application.sagas.saga import Saga
    from application.sagas.state import SagaState, SagaStatus, evolve
    from infrastructure.temporal.definitions import DEFINITION
    from infrastructure.temporal.messages import Arrived, Begun, Cancelled, Changed, News
    from infrastructure.temporal.news import following

from infrastructure.temporal.attempting import outcome
from infrastructure.temporal.record import Record

_ENDS: Final = (SagaStatus.COMPLETED, SagaStatus.COMPENSATED, SagaStatus.RESOLVED)


@workflow.defn(dynamic=True)
class SagaWorkflow:
    """One saga. Its workflow type is the saga's name, its workflow id the name of its stream."""

    def __init__(self) -> None:
        self._news: deque[News] = deque()
        self._resting = False

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> str:
        """Its status in the end."""
        begun = workflow.payload_converter().from_payload(args[0].payload, Begun)
        self._news.extendleft(reversed(begun.news))
        self._record = Record(begun)
        deciding = asyncio.create_task(self._decide(begun))
        while True:
            try:
                return await asyncio.shield(deciding)
            except asyncio.CancelledError:  # of the workflow, by a person; or it leaves the cache
                if deciding.done() or deciding.cancelling():
                    raise
                self._news.append(_CANCELLED_HERE)

    # ── what is heard ────────────────────────────────────────────────────────────────────────────

    @workflow.signal
    def cancelled(self, news: Cancelled) -> None:
        """Undo all, unless another version is meant."""
        self._news.append(news)

    @workflow.signal
    def arrived(self, news: Arrived) -> None:
        """Keep an event that a step waits for."""
        self._news.append(news)

    @workflow.signal
    def changed(self, news: Changed) -> None:
        """Read what an operator has added to the stream."""
        self._news.append(news)

    @workflow.query
    def state(self) -> SagaState:
        """As of its last decision."""
        return self._record.state

    @workflow.query
    def resting(self) -> bool:
        """Whether it waits: for its next moment, for an event, or for a person."""
        return self._resting and not self._news

    # ── the loop ─────────────────────────────────────────────────────────────────────────────────

    async def _decide(self, begun: Begun) -> str:
        await self._begin(begun)
        while (status := self._record.state.status) and (self._news or status not in _ENDS):
            if workflow.info().is_continue_as_new_suggested():
                news = tuple(self._news)
                workflow.continue_as_new(begun.model_copy(update={"started": None, "news": news}))
            await self._move()
        return str(status or "unknown")  # unknown: nothing has started it

    async def _begin(self, begun: Begun) -> None:
        if begun.started is None:
            await self._record.read()
            return
        after = evolve(self._record.state, begun.started)
        follows = settle(self._definition(begun.started.version), after, workflow.now())
        await self._record.append([begun.started, *follows])

    async def _move(self) -> None:
        """One decision: after news, after what settles, after a rest, or after an attempt."""
        state, now = self._record.state, workflow.now()
        saga = self._definition(state.version)
        if self._news:
            await self._append_with_news(saga, [])
        elif settled := settle(saga, state, now):
            await self._record.append(settled)
        elif (action := next_action(saga, state)) and not state.asleep(now):
            came = await outcome(saga, self._record.fold, action)
            chance = workflow.random().random()
            event = record(saga, state, action, came, workflow.now(), chance)
            await self._append_with_news(saga, [event])
        else:
            await self._rest(state)

    async def _rest(self, state: SagaState) -> None:
        """Until there is news, or the saga is due; a failed one waits for a person."""
        left = None if state.due is None else max(timedelta(), state.due - workflow.now())
        self._resting = True
        try:
            await workflow.wait_condition(lambda: bool(self._news), timeout=left)
        except TimeoutError:
            assert state.due is not None  # else there was no time to run out
            await self._record.append([SagaWoken(due=state.due)])
        finally:
            self._resting = False

    async def _append_with_news(self, saga: Saga[Any], events: Sequence[SagaEvent]) -> None:
        """Append these, what follows from the news, and what settles after that."""
        heard, version = list(self._news), self._record.fold.version
        state = _after(self._record.state, events)
        follows = [*following(saga, state, heard)]
        settled = settle(saga, _after(state, follows), workflow.now())
        decided = [*events, *follows, *settled]
        if decided and not await self._record.append(decided):
            return  # another was first: it decides again, with the same news
        for _ in heard:
            self._news.popleft()
        if any(isinstance(one, Changed) and one.version > version for one in heard):
            await self._record.read()

    def _definition(self, version: int) -> Saga[Any]:
        name = workflow.info().workflow_type
        definition: Saga[Any] = workflow.extern_functions()[DEFINITION](name, version)
        return definition


_CANCELLED_HERE: Final = Cancelled(type=None, by="temporal", reason="cancelled in Temporal")


def _after(state: SagaState, events: Sequence[SagaEvent]) -> SagaState:
    for event in events:
        state = evolve(state, event)
    return state
