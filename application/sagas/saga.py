"""What a saga is: steps in order, each with what undoes it. Pure, so that any engine can host one.

    running ──────→ completed                 every step is done
       └─→ compensating ──→ compensated       what may have happened is undone, last in, first out
    either ──→ failed                         a person must act: retry, compensate or resolve

An engine performs what :func:`next_action` says, and :func:`record` tells which events follow from
the outcome. Between those, :func:`settle` gives the events that need nobody to act.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from application.messages import RecordedEvent
from application.sagas.actions import Action
from application.sagas.events import (
    SagaCompensated,
    SagaCompleted,
    SagaEvent,
    SagaFailed,
    SagaStarted,
    StepBegun,
    StepCompleted,
    StepDelayed,
    StepRefused,
    StepTimedOut,
    StepUndone,
    UndoDelayed,
)
from application.sagas.state import SagaState, Status, evolve

# ── a definition ─────────────────────────────────────────────────────────────────────────────────


class Facts(BaseModel):
    """All that the steps of one saga need to know, taken from what started it."""

    model_config = ConfigDict(frozen=True)


F = TypeVar("F", bound=Facts)


@dataclass(frozen=True)
class Retries:
    """How long to wait after a failed attempt: longer each time, and never quite as long."""

    first: timedelta = timedelta(seconds=1)
    factor: float = 2
    longest: timedelta = timedelta(seconds=30)
    alert_after: int = 5  # failed attempts at one thing; then somebody should look

    def pause(self, failed: int, chance: float) -> timedelta:
        """After so many failed attempts; ``chance`` (0 to 1) takes up to half of it away."""
        full = min(self.first * self.factor ** min(failed - 1, 32), self.longest)
        return full * (1 - chance / 2)


def nothing(facts: F, reason: str = "") -> Sequence[Action]:  # noqa: ARG001 - as every step is asked
    """Nothing is to be done, or undone."""
    return ()


@dataclass(frozen=True)
class Step(Generic[F]):
    """One step: what it asks, and what undoes that (given the reason), each safe to repeat.

    It is given up, and undone, when it is not done ``timeout`` after it was begun.
    """

    name: str
    act: Callable[[F], Sequence[Action]]
    undo: Callable[[F, str], Sequence[Action]] = nothing
    timeout: timedelta = timedelta(minutes=5)
    retries: Retries = Retries()


@dataclass(frozen=True)
class Saga(Generic[F]):
    """One version of a saga. What has been released is never changed: it gets a new version.

    Once the step ``no_return`` is done, a refusal or a timeout turns nothing back any more: a
    refusal needs a person, everything else is retried. Only an order to compensate undoes all.
    """

    name: str
    version: int
    facts: type[F]
    steps: tuple[Step[F], ...]
    no_return: str
    started_by: Callable[[RecordedEvent], F | None]  # of an event of ``starts``; None: not by it
    starts: type[Any]  # the event that starts it; the saga has the id of that event's aggregate
    cancels: type[Any]  # the event of that aggregate that has everything undone

    def step(self, name: str) -> Step[F]:
        return next(step for step in self.steps if step.name == name)

    def known(self, state: SagaState) -> F:
        """The facts of one saga."""
        return self.facts.model_validate(state.facts)

    def irrevocable(self, state: SagaState) -> bool:
        return self.no_return in state.done

    def start(self, facts: F) -> SagaStarted:
        return SagaStarted(
            saga=self.name, version=self.version, facts=facts.model_dump(mode="json")
        )


# ── what comes next ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Do(Generic[F]):
    """Perform a step that has been begun."""

    step: Step[F]
    actions: Sequence[Action]


@dataclass(frozen=True)
class Undo(Generic[F]):
    """Perform the compensation of a step that may have happened."""

    step: Step[F]
    actions: Sequence[Action]


NextAction = Do[F] | Undo[F]


def next_action(saga: Saga[F], state: SagaState) -> NextAction[F] | None:
    """What a settled saga needs done now; ``None`` when it has ended, or a person must act."""
    if state.status is Status.RUNNING and state.under_way:
        step = saga.step(state.under_way)
        return Do(step, step.act(saga.known(state)))
    if state.status is Status.COMPENSATING and state.to_undo:
        step = saga.step(state.to_undo[-1])
        return Undo(step, step.undo(saga.known(state), state.reason))
    return None


def settle(saga: Saga[F], state: SagaState, now: datetime) -> Sequence[SagaEvent]:
    """What follows without anybody acting: the next step begins, or the saga ends."""
    events: list[SagaEvent] = []
    while event := _following(saga, state, now):
        events.append(event)
        state = evolve(state, event)
    return events


def _following(saga: Saga[F], state: SagaState, now: datetime) -> SagaEvent | None:
    action = next_action(saga, state)
    match action:
        case Do(step, actions) if not actions:
            return StepCompleted(step=step.name)
        case Undo(step, actions) if not actions:
            return StepUndone(step=step.name)
        case Do() | Undo():
            return None
    match state.status:
        case Status.RUNNING:
            return _begin_or_end(saga, state, now)
        case Status.COMPENSATING:
            return SagaCompensated()
        case _:
            return None


def _begin_or_end(saga: Saga[F], state: SagaState, now: datetime) -> SagaEvent:
    for step in saga.steps:
        if step.name not in state.done:
            return StepBegun(step=step.name, deadline=now + step.timeout)
    return SagaCompleted()


# ── what came of it ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Succeeded:
    """It is done, now or before."""


@dataclass(frozen=True)
class Refused:
    """It will never be done, however often it is asked for."""

    reason: str
    partly: bool = False  # something of it may have happened all the same


@dataclass(frozen=True)
class Faulted:
    """It may work later; it may even have worked."""

    error: str


Outcome = Succeeded | Refused | Faulted


def record(
    saga: Saga[F],
    state: SagaState,
    action: NextAction[F],
    outcome: Outcome,
    now: datetime,
    chance: float,
) -> SagaEvent:
    """What happened. ``chance`` (0 to 1) spreads the retries of many sagas."""
    name = action.step.name
    again_at = now + action.step.retries.pause(state.attempts + 1, chance)
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
