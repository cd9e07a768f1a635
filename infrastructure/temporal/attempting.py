"""One attempt at a step, as an activity: how long it may take, and what its failure means.

Workflow code: nothing here asks a clock, makes an id, or does I/O.
"""

from datetime import timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from application.sagas.fold import SagaFold
    from application.sagas.outcomes import Faulted, StepOutcome, Succeeded
    from application.sagas.progress import Do, NextAction, patience
    from application.sagas.saga import Saga
    from infrastructure.temporal.failures import FINAL, outcome_of
    from infrastructure.temporal.messages import Attempt

GRACE: Final = timedelta(seconds=10)
"""An activity keeps its time by itself; after so much more it is taken for dead."""
HEARTBEAT_FROM: Final = timedelta(seconds=30)
HEARTBEAT: Final = timedelta(seconds=10)
"""An activity that may take longer than ``HEARTBEAT_FROM`` is taken for dead without a sign of life
for so long, and is performed again."""
_RETRIES: Final = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    maximum_interval=timedelta(minutes=1),
    non_retryable_error_types=FINAL,
)
"""For what is no outcome: a worker that died, or a bug. The saga itself retries what faulted."""


async def outcome(saga: Saga[Any], fold: SagaFold, action: NextAction[Any]) -> StepOutcome:
    """What came of one attempt, which is waited for whatever is heard meanwhile."""
    now = workflow.now()
    time = patience(saga, fold.state, action, now)
    if not time:
        return Faulted("TimeoutError: its time is over")
    is_do = isinstance(action, Do)
    bounded = is_do and not saga.irrevocable(fold.state)
    what = f"{'Do' if is_do else 'Undo'} {action.step.name}"
    attempt = Attempt(
        fold.saga,
        saga.version,
        action.step.name,
        "Do" if is_do else "Undo",
        fold.state.facts,
        fold.state.reason,
        fold.context(what, now),
        time,
    )
    try:
        await workflow.execute_activity(
            "perform",
            attempt,
            activity_id=f"{fold.version}: {what}",  # a replay that decides otherwise fails by it
            start_to_close_timeout=time + GRACE,
            schedule_to_close_timeout=time + GRACE if bounded else None,
            heartbeat_timeout=HEARTBEAT if time > HEARTBEAT_FROM else None,
            retry_policy=_RETRIES,
            summary=what,
        )
    except ActivityError as error:
        return outcome_of(error)
    return Succeeded()
