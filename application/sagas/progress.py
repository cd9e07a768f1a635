"""How a saga advances: its next action, and the events that follow from an outcome. Pure.

An engine performs what :func:`next_action` returns, and :func:`record` returns the event that
follows from the outcome. Between those, :func:`settle` returns the events for which nothing has to
be performed, :func:`arrival` the one that keeps an awaited event, and :func:`cancellation` the one
that turns it back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic

from application.messages import RecordedEvent
from application.sagas.actions import Action
from application.sagas.events import (
    CompensationOrdered,
    EventArrived,
    SagaCompensated,
    SagaCompleted,
    SagaEvent,
    SagaFailed,
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
from application.sagas.outcomes import Faulted, Refused, StepOutcome, Succeeded
from application.sagas.saga import Check, F, Saga, Step
from application.sagas.state import SagaState, SagaStatus, evolve

# ── what comes next ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Do(Generic[F]):
    """Perform a step that has been begun: its actions, or its checks."""

    step: Step[F]
    actions: Sequence[Action]
    checks: Sequence[Check] = ()


@dataclass(frozen=True)
class Undo(Generic[F]):
    """Perform the compensation of a step that may have happened."""

    step: Step[F]
    actions: Sequence[Action]


NextAction = Do[F] | Undo[F]


def next_action(saga: Saga[F], state: SagaState) -> NextAction[F] | None:
    """What a settled saga needs done now; ``None``: it waits, has ended, or a person must act."""
    if state.status is SagaStatus.RUNNING and state.under_way and not state.waiting:
        step = saga.step(state.under_way)
        facts = saga.known(state)
        return Do(step, step.act(facts), step.checks(facts) if step.checks else ())
    if state.status is SagaStatus.COMPENSATING and state.to_undo:
        step = saga.step(state.to_undo[-1])
        return Undo(step, step.undo(saga.known(state), state.reason))
    return None


def settle(saga: Saga[F], state: SagaState, now: datetime) -> Sequence[SagaEvent]:
    """What follows without anything being performed: the next step begins, or the saga ends."""
    events: list[SagaEvent] = []
    while event := _following(saga, state, now):
        events.append(event)
        state = evolve(state, event)
    return events


def _following(saga: Saga[F], state: SagaState, now: datetime) -> SagaEvent | None:
    match next_action(saga, state):
        case Do(step, actions, checks) if not actions and not checks:
            return StepCompleted(step=step.name)
        case Undo(step, actions) if not actions:
            return StepUndone(step=step.name)
        case Do() | Undo():
            return None
    match state.status:
        case SagaStatus.RUNNING if state.under_way:
            return _waited(saga, saga.step(state.under_way), state, now)
        case SagaStatus.RUNNING:
            return _begin_or_end(saga, state, now)
        case SagaStatus.COMPENSATING:
            return SagaCompensated()
        case _:
            return None


def _begin_or_end(saga: Saga[F], state: SagaState, now: datetime) -> SagaEvent:
    for step in saga.steps:
        if step.name in state.done:
            continue
        if step.waits:
            return WaitBegun(step=step.name, until=step.waits.until(saga.known(state), now))
        return StepBegun(step=step.name, deadline=now + step.timeout)
    return SagaCompleted()


def _waited(saga: Saga[F], step: Step[F], state: SagaState, now: datetime) -> SagaEvent | None:
    """What has come of a wait by now: its event counts, however late it is noticed."""
    assert step.waits  # a step that waits
    assert state.deadline  # with every wait
    over = state.over or now >= state.deadline
    if step.name in state.arrived or (over and step.waits.event is None):
        return StepCompleted(step=step.name)
    if not over or step.waits.event is None:
        return None
    why = f"no {step.waits.event.__name__} by {state.deadline:%Y-%m-%d %H:%M:%SZ}"
    if saga.irrevocable(state):
        return SagaFailed(step=step.name, reason=why)
    return WaitExpired(step=step.name, error=why)


def awaiting(saga: Saga[Any], id: str, recorded: RecordedEvent) -> Sequence[str]:
    """The steps of the saga with this id that wait for such an event, in order."""
    return [
        step.name
        for step, wait in saga.waits
        if wait.event is not None
        and wait.event.__name__ == recorded.type
        and wait.saga_id(recorded) == id
    ]


def arrival(state: SagaState, steps: Sequence[str], event_id: str) -> EventArrived | None:
    """What to record of an event that these steps wait for, now, later, or too late.

    ``None`` for one that the saga has had already, or has no use for at its end.
    """
    ended = state.status in (SagaStatus.COMPLETED, SagaStatus.RESOLVED)
    if ended or event_id in state.arrived.values():
        return None
    left = (step for step in steps if step not in state.arrived)
    return next((EventArrived(step=step, event_id=event_id) for step in left), None)


def cancellation(state: SagaState, by: str, reason: str) -> CompensationOrdered | None:
    """What to record of a cancellation; ``None``: all is undone already, or is about to be."""
    undoes = state.status in (SagaStatus.RUNNING, SagaStatus.COMPLETED, SagaStatus.FAILED)
    return CompensationOrdered(by=by, reason=reason) if undoes else None


def patience(saga: Saga[F], state: SagaState, action: NextAction[F], now: datetime) -> timedelta:
    """How long one attempt may take: never more than what is left of the step's time."""
    whole = action.step.timeout
    if isinstance(action, Do) and state.deadline and not saga.irrevocable(state):
        whole = min(whole, state.deadline - now)
    return max(timedelta(), whole)


# ── what came of it ──────────────────────────────────────────────────────────────────────────────


def record(
    saga: Saga[F],
    state: SagaState,
    action: NextAction[F],
    outcome: StepOutcome,
    now: datetime,
    chance: float,
) -> SagaEvent:
    """What happened. ``chance`` (0 to 1) spreads the retries of many sagas."""
    name = action.step.name
    again_at = now + action.step.pause(state.attempts + 1, chance)
    match action, outcome:
        case Do(), Succeeded():
            return StepCompleted(step=name)
        case Do(), Refused(reason, partly) if not saga.irrevocable(state):
            return StepRefused(step=name, reason=reason, partly=partly)
        case Do(), Faulted(error) if not saga.irrevocable(state) and _too_late(state, again_at):
            return StepTimedOut(step=name, error=error)
        case Do(), Faulted(error):
            return StepDelayed(step=name, error=error, again_at=again_at)
        case Undo(), Succeeded():
            return StepUndone(step=name)
        case Undo(), Faulted(error):
            return UndoDelayed(step=name, error=error, again_at=again_at)
        case _, Refused(reason):
            return SagaFailed(step=name, reason=reason)
        case _:
            raise AssertionError(f"{action} cannot have come to {outcome}")


def _too_late(state: SagaState, moment: datetime) -> bool:
    return state.deadline is not None and moment > state.deadline
