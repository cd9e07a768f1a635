"""The workflow of a saga: a deterministic loop around the saga's own pure functions.

Nothing here asks a clock, makes an id, or does I/O: Temporal's clock and ids are replayed, and
activities do the rest. A released workflow is never changed: what replays another way comes behind
``workflow.patched``, and recorded histories are replayed in the tests.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from application.own_events import OWN
    from application.sagas.events import SagaEvent, SagaWoken
    from application.sagas.fold import SagaFold
    from application.sagas.outcomes import Faulted, StepOutcome, Succeeded
    from application.sagas.progress import (
        Do,
        NextAction,
        arrival,
        cancellation,
        next_action,
        patience,
        record,
        settle,
    )
    from application.sagas.saga import Saga
    from application.sagas.state import SagaState, SagaStatus, evolve
    from infrastructure.temporal.definitions import DEFINITION
    from infrastructure.temporal.failures import FINAL, outcome_of
    from infrastructure.temporal.messages import (
        Arrived,
        Attempt,
        Begun,
        Cancelled,
        Changed,
        Decision,
        News,
    )
    from infrastructure.temporal.search_attributes import SAGA_STATUS

GRACE: Final = timedelta(seconds=10)
"""An activity keeps its time by itself; after so much more it is taken for dead."""
HEARTBEAT_FROM: Final = timedelta(seconds=30)
HEARTBEAT: Final = timedelta(seconds=20)
"""An activity that may take longer than ``HEARTBEAT_FROM`` is taken for dead without a sign of life
for so long, and is performed again."""
APPEND: Final = timedelta(seconds=10)
"""One attempt at an append or at reading a stream; there is always a next one."""

_ENDS: Final = (None, SagaStatus.COMPLETED, SagaStatus.COMPENSATED, SagaStatus.RESOLVED)
_STORE_RETRIES: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=100),
    maximum_interval=timedelta(seconds=10),
    non_retryable_error_types=FINAL,
)
_PERFORM_RETRIES: Final = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    maximum_interval=timedelta(minutes=1),
    non_retryable_error_types=FINAL,
)
"""For what is no outcome: a worker that died, or a bug. The saga itself retries what faulted."""


@workflow.defn(dynamic=True)
class SagaWorkflow:
    """One saga. Its workflow type is the saga's name, its workflow id the name of its stream."""

    def __init__(self) -> None:
        self._news: deque[News] = deque()
        self._begun = Begun(id="")
        self._fold = SagaFold(workflow.info().workflow_type, "")
        self._shown: SagaStatus | None = None
        self._resting = False

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> str:
        """Its status in the end."""
        self._begun = workflow.payload_converter().from_payload(args[0].payload, Begun)
        self._news.extendleft(reversed(self._begun.news))
        deciding = asyncio.create_task(self._decide())
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
        return self._fold.state

    @workflow.query
    def resting(self) -> bool:
        """Whether it waits: for its next moment, for an event, or for a person."""
        return self._resting and not self._news

    # ── the loop ─────────────────────────────────────────────────────────────────────────────────

    async def _decide(self) -> str:
        await self._begin()
        while self._news or self._fold.state.status not in _ENDS:
            if self._fold.state.status is None:
                break  # nothing has started it
            if workflow.info().is_continue_as_new_suggested():
                news = tuple(self._news)
                again = self._begun.model_copy(update={"started": None, "news": news})
                workflow.continue_as_new(again)
            await self._move()
        return str(self._fold.state.status or "unknown")

    async def _begin(self) -> None:
        begun = self._begun
        self._fold = SagaFold(
            workflow.info().workflow_type,
            begun.id,
            cause=begun.cause,
            correlation_id=begun.correlation_id,
            traceparent=begun.traceparent,
        )
        if begun.started is None:
            await self._read()
            return
        saga = self._definition(begun.started.version)
        after = evolve(self._fold.state, begun.started)
        await self._record([begun.started, *settle(saga, after, workflow.now())])

    async def _move(self) -> None:
        """One decision: after news, after what settles, after a rest, or after an attempt."""
        fold, saga = self._fold, self._definition(self._fold.state.version)
        if self._news:
            await self._record_with_news(saga, [])
        elif settled := settle(saga, fold.state, workflow.now()):
            await self._record(settled)
        elif (action := next_action(saga, fold.state)) and not fold.state.asleep(workflow.now()):
            outcome = await self._outcome(saga, action)
            now, chance = workflow.now(), workflow.random().random()
            await self._record_with_news(
                saga, [record(saga, fold.state, action, outcome, now, chance)]
            )
        else:
            await self._rest()

    async def _rest(self) -> None:
        """Until there is news, or the saga is due; a failed one waits for a person."""
        due = self._fold.state.due
        left = None if due is None else max(timedelta(), due - workflow.now())
        self._resting = True
        try:
            await workflow.wait_condition(lambda: bool(self._news), timeout=left)
        except TimeoutError:
            assert due is not None  # else there was no time to run out
            await self._record([SagaWoken(due=due)])
        finally:
            self._resting = False

    # ── what is decided ──────────────────────────────────────────────────────────────────────────

    async def _record_with_news(self, saga: Saga[Any], events: Sequence[SagaEvent]) -> None:
        """Append these, what follows from the news, and what settles after that."""
        heard, version = list(self._news), self._fold.version
        state = self._fold.state
        for event in events:
            state = evolve(state, event)
        told: list[SagaEvent] = []
        for event in _told(saga, state, heard):
            told.append(event)
            state = evolve(state, event)
        follows = settle(saga, state, workflow.now())
        decided = [*events, *told, *follows]
        if decided and not await self._record(decided):
            return  # another was first: it decides again, with the same news
        for _ in heard:
            self._news.popleft()
        if any(isinstance(one, Changed) and one.version > version for one in heard):
            await self._read()

    async def _record(self, events: Sequence[SagaEvent]) -> bool:
        """Append these; ``False`` when another was first: then what it added has been read."""
        fold, now = self._fold, workflow.now()
        context = fold.context(f"version {fold.version}", now)
        new = [OWN.new_event(event, workflow.uuid4(), context) for event in events]
        before = replace(fold.state, facts={})
        decision = Decision(fold.saga, fold.id, fold.version, new, before, fold.age(now))
        newer = await workflow.execute_local_activity(
            "append",
            decision,
            result_type=SagaFold | None,  # type: ignore[arg-type]  # a form that pydantic reads
            start_to_close_timeout=APPEND,
            retry_policy=_STORE_RETRIES,
            summary=", ".join(type(event).__name__ for event in events),
        )
        if newer is not None:
            self._fold = newer
        else:
            fold.version, fold.cause = fold.version + len(new), str(new[-1].id)
            for event in events:
                fold.take_in(event, now)
        self._show()
        return newer is None

    async def _read(self) -> None:
        """See what the stream says by now."""
        self._fold = await workflow.execute_local_activity(
            "read",
            args=[self._fold.saga, self._fold.id],
            result_type=SagaFold,
            start_to_close_timeout=APPEND,
            retry_policy=_STORE_RETRIES,
        )
        self._show()

    async def _outcome(self, saga: Saga[Any], action: NextAction[Any]) -> StepOutcome:
        """What came of one attempt, which is waited for whatever is heard meanwhile."""
        fold, now = self._fold, workflow.now()
        time = patience(saga, fold.state, action, now)
        if not time:
            return Faulted("TimeoutError: its time is over")
        does = type(action).__name__
        attempt = Attempt(
            fold.saga,
            saga.version,
            action.step.name,
            "Do" if isinstance(action, Do) else "Undo",
            fold.state.facts,
            fold.state.reason,
            fold.context(f"{does} {action.step.name}", now),
            time,
        )
        bounded = isinstance(action, Do) and not saga.irrevocable(fold.state)
        try:
            await workflow.execute_activity(
                "perform",
                attempt,
                start_to_close_timeout=time + GRACE,
                schedule_to_close_timeout=time + GRACE if bounded else None,
                heartbeat_timeout=HEARTBEAT if time > HEARTBEAT_FROM else None,
                retry_policy=_PERFORM_RETRIES,
                summary=f"{does.lower()} {action.step.name}",
            )
        except ActivityError as error:
            return outcome_of(error)
        return Succeeded()

    def _show(self) -> None:
        """Have operators find the saga by its status."""
        status = self._fold.state.status
        if self._begun.searchable and status is not None and status is not self._shown:
            workflow.upsert_search_attributes([SAGA_STATUS.value_set(status.value)])
        self._shown = status

    def _definition(self, version: int) -> Saga[Any]:
        definition: Saga[Any] = workflow.extern_functions()[DEFINITION](self._fold.saga, version)
        return definition


_CANCELLED_HERE: Final = Cancelled(type=None, by="temporal", reason="cancelled in Temporal")


def _told(saga: Saga[Any], state: SagaState, heard: Sequence[News]) -> Iterator[SagaEvent]:
    """What follows from the news, one after another."""
    for news in heard:
        event: SagaEvent | None = None
        match news:
            case Cancelled(type=None | saga.cancels.__name__, by=by, reason=reason):
                event = cancellation(state, by, reason)
            case Arrived(event_id=event_id, steps=steps):
                waits = [step.name for step, _ in saga.waits if step.name in steps]
                event = arrival(state, waits, event_id)
            case _:
                pass
        if event is not None:
            yield event
            state = evolve(state, event)
