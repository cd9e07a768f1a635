"""The stream of a saga as its workflow knows it: what it appends, and what others have added.

Workflow code: nothing here asks a clock, makes an id, or does I/O.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from application.own_events import OWN
    from application.sagas.events import SagaEvent
    from application.sagas.fold import SagaFold
    from application.sagas.state import SagaState, SagaStatus
    from infrastructure.temporal.failures import FINAL
    from infrastructure.temporal.messages import Begun, Decision
    from infrastructure.temporal.search_attributes import SAGA_STATUS

APPEND: Final = timedelta(seconds=10)
"""One attempt at an append or at reading a stream; there is always a next one."""
_RETRIES: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=100),
    maximum_interval=timedelta(seconds=10),
    non_retryable_error_types=FINAL,
)


class Record:
    """One saga's stream, as of the last append or read."""

    def __init__(self, begun: Begun) -> None:
        self._searchable = begun.searchable
        self._shown: SagaStatus | None = None
        self.fold = SagaFold(
            workflow.info().workflow_type,
            begun.id,
            cause=begun.cause,
            correlation_id=begun.correlation_id,
            traceparent=begun.traceparent,
            on_behalf_of=begun.on_behalf_of,
        )

    @property
    def state(self) -> SagaState:
        return self.fold.state

    async def append(self, events: Sequence[SagaEvent]) -> bool:
        """Append these; ``False`` when another was first: then what it added has been read."""
        fold, now = self.fold, workflow.now()
        context = fold.context(f"version {fold.version}", now)
        new = [OWN.new_event(event, workflow.uuid4(), context) for event in events]
        before = replace(fold.state, facts={})
        decision = Decision(fold.saga, fold.id, fold.version, new, before, fold.age(now))
        types = ", ".join(event.type for event in new)
        newer = await workflow.execute_local_activity(
            "append",
            decision,
            activity_id=f"{fold.version}: {types}",  # a replay that decides otherwise fails by it
            result_type=SagaFold | None,  # type: ignore[arg-type]  # a form that pydantic reads
            start_to_close_timeout=APPEND,
            retry_policy=_RETRIES,
            summary=types,
        )
        if newer is not None:
            self.fold = newer
        else:
            fold.version, fold.cause = fold.version + len(new), str(new[-1].id)
            for event in events:
                fold.take_in(event, now)
        self._show()
        return newer is None

    async def read(self) -> None:
        """See what the stream says by now."""
        self.fold = await workflow.execute_local_activity(
            "read",
            args=[self.fold.saga, self.fold.id],
            result_type=SagaFold,
            start_to_close_timeout=APPEND,
            retry_policy=_RETRIES,
        )
        self._show()

    def _show(self) -> None:
        """Have operators find the saga by its status."""
        status = self.fold.state.status
        if self._searchable and status is not None and status is not self._shown:
            workflow.upsert_search_attributes([SAGA_STATUS.value_set(status.value)])
        self._shown = status
