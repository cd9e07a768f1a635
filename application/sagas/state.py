"""The state of a saga: its events, folded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, assert_never

from application.sagas.events import (
    CompensationOrdered,
    EventArrived,
    SagaCompensated,
    SagaCompleted,
    SagaEvent,
    SagaFailed,
    SagaResolved,
    SagaRetried,
    SagaStarted,
    SagaWoken,
    StepBegun,
    StepCompleted,
    StepDelayed,
    StepRefused,
    StepTimedOut,
    StepUndone,
    UndoDelayed,
    WaitBegun,
    WaitExpired,
)
from domain.decider import replace


class SagaStatus(StrEnum):
    RUNNING = "running"
    COMPENSATING = "compensating"
    COMPLETED = "completed"  # every step is done
    COMPENSATED = "compensated"  # failed successfully: nothing is left of it
    FAILED = "failed"  # a person must act
    RESOLVED = "resolved"  # a person has acted


AT_WORK = frozenset({SagaStatus.RUNNING, SagaStatus.COMPENSATING})


@dataclass(frozen=True)
class SagaState:
    status: SagaStatus | None = None
    version: int = 0  # of the definition
    facts: Mapping[str, Any] = field(default_factory=dict)
    to_undo: tuple[str, ...] = ()  # the steps that may have happened, in order
    done: frozenset[str] = frozenset()
    under_way: str | None = None  # the step that is begun and not done
    deadline: datetime | None = None  # of that step, or until when it waits
    waiting: bool = False  # the step under way waits, and nothing is to be performed
    over: bool = False  # it was woken at its deadline: no clock is asked again
    arrived: Mapping[str, str] = field(default_factory=dict)  # by step: the event that has come
    attempts: int = 0  # at what it does now, all failed
    again_at: datetime | None = None  # it sleeps until then
    reason: str = ""  # why it compensates, or failed
    failed_from: SagaStatus | None = None  # what it was doing when it failed

    @property
    def due(self) -> datetime | None:
        """When it has to be looked at again, unless it has moved before."""
        return (self.again_at or self.deadline) if self.status in AT_WORK else None

    def asleep(self, now: datetime) -> bool:
        return self.again_at is not None and now < self.again_at


_BETWEEN_STEPS: Final[Mapping[str, Any]] = {
    "under_way": None,
    "deadline": None,
    "waiting": False,
    "over": False,
}
_AWAKE: Final[Mapping[str, Any]] = {"attempts": 0, "again_at": None}


def evolve(state: SagaState, event: SagaEvent) -> SagaState:
    match event:
        case SagaStarted(version=version, facts=facts):
            return SagaState(SagaStatus.RUNNING, version, facts)
        case StepBegun(step=step, deadline=deadline):
            to_undo = _with(step, state.to_undo)
            return replace(state, to_undo=to_undo, under_way=step, deadline=deadline)
        case WaitBegun(step=step, until=until):
            return replace(state, under_way=step, waiting=True, over=False, deadline=until)
        case StepCompleted(step=step):
            done, to_undo = state.done | {step}, _with(step, state.to_undo)
            return replace(state, done=done, to_undo=to_undo, **_BETWEEN_STEPS, **_AWAKE)
        case StepDelayed(again_at=again_at) | UndoDelayed(again_at=again_at):
            return replace(state, attempts=state.attempts + 1, again_at=again_at)
        case StepRefused(step=step, reason=reason, partly=partly):
            return _turned(state if partly else _done_with(step, state), f"{step}: {reason}")
        case StepTimedOut(step=step, error=error) | WaitExpired(step=step, error=error):
            return _turned(state, f"{step}: {error}")
        case CompensationOrdered(reason=reason):
            return _turned(state, reason)
        case StepUndone(step=step):
            return replace(_done_with(step, state), **_AWAKE)
        case EventArrived(step=step, event_id=event_id):
            return _arrived(state, step, event_id)
        case SagaWoken(due=due):
            over = state.waiting and state.deadline is not None and due >= state.deadline
            return replace(state, again_at=None, over=state.over or over)
        case SagaRetried() if state.waiting and state.status is SagaStatus.FAILED:
            again = SagaStatus.RUNNING  # it waits anew
            return replace(state, status=again, **_BETWEEN_STEPS, **_AWAKE)
        case SagaRetried():
            return replace(state, status=state.failed_from or state.status, **_AWAKE)
        case SagaCompleted():
            return replace(state, status=SagaStatus.COMPLETED)
        case SagaCompensated():
            return replace(state, status=SagaStatus.COMPENSATED)
        case SagaFailed(step=step, reason=reason):
            failed, why = SagaStatus.FAILED, f"{step}: {reason}"
            return replace(state, status=failed, failed_from=state.status, reason=why, **_AWAKE)
        case SagaResolved():
            return replace(state, status=SagaStatus.RESOLVED)
        case _:
            assert_never(event)


def _turned(state: SagaState, reason: str) -> SagaState:
    """From here on it goes back."""
    back = SagaStatus.COMPENSATING
    return replace(state, status=back, reason=reason, **_BETWEEN_STEPS, **_AWAKE)


def _arrived(state: SagaState, step: str, event_id: str) -> SagaState:
    """What has come may have to be undone: at once, where the saga has turned back before."""
    to_undo, all_arrived = _with(step, state.to_undo), {**state.arrived, step: event_id}
    arrived = replace(state, to_undo=to_undo, arrived=all_arrived)
    if state.status in (SagaStatus.COMPENSATING, SagaStatus.COMPENSATED):
        return replace(arrived, status=SagaStatus.COMPENSATING, **_AWAKE)
    return arrived


def _with(step: str, to_undo: tuple[str, ...]) -> tuple[str, ...]:
    """That step may have happened: it is to be undone, should the saga go back."""
    return to_undo if step in to_undo else (*to_undo, step)


def _done_with(step: str, state: SagaState) -> SagaState:
    """Nothing is left of that step to undo."""
    to_undo = tuple(other for other in state.to_undo if other != step)
    return replace(state, to_undo=to_undo, done=state.done - {step})
