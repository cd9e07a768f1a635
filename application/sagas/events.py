"""What happens to a saga. Stream: ``<saga>-<id>``, such as ``money_transfer-536365``.

These are stored, in the same form for every saga: add, never rename. A moment in an event is one to
act at; the time of the event is in its metadata.
"""

from typing import Any, Final

from pydantic import AwareDatetime

from application.category import Category
from domain.decider import Event


class SagaStarted(Event):
    saga: str
    version: int  # of the definition, for as long as this saga lives
    facts: dict[str, Any]  # all that its steps need to know


class StepBegun(Event):
    """Recorded before the step runs: from here on it may have happened."""

    step: str
    deadline: AwareDatetime


class StepDelayed(Event):
    """An attempt failed, for a reason that may pass; its outcome may be unknown."""

    step: str
    error: str
    again_at: AwareDatetime


class StepCompleted(Event):
    step: str


class StepRefused(Event):
    """It will never be done. The saga compensates."""

    step: str
    reason: str
    partly: bool = False  # a part of it may have happened


class StepTimedOut(Event):
    """Its timeout is over, and its outcome is unknown: it is undone as if it had happened."""

    step: str
    error: str


class StepUndone(Event):
    step: str


class UndoDelayed(Event):
    """Undoing failed, for a reason that may pass. It is tried until it succeeds."""

    step: str
    error: str
    again_at: AwareDatetime


class WaitBegun(Event):
    """A step waits, for its event or for this moment, whichever comes first."""

    step: str
    until: AwareDatetime


class EventArrived(Event):
    """The event that a step waits for has come: while it waits, before it does, or too late."""

    step: str
    event_id: str


class WaitExpired(Event):
    """The moment has come before the event. What was done before is undone."""

    step: str
    error: str


class SagaWoken(Event):
    """The moment has come that the saga, or its deadline, was waiting for."""

    due: AwareDatetime


class CompensationOrdered(Event):
    """All is to be undone: the customer has cancelled, or an operator has ordered it."""

    by: str
    reason: str


class SagaRetried(Event):
    """An operator has ordered another attempt, at once."""

    by: str
    reason: str


class SagaCompleted(Event):
    """Every step is done."""


class SagaCompensated(Event):
    """All that may have happened is undone: the saga failed, and successfully so."""


class SagaFailed(Event):
    """It can neither continue nor compensate: an operator must act."""

    step: str
    reason: str


class SagaResolved(Event):
    """An operator has settled by other means what the saga could not."""

    by: str
    reason: str


SagaEvent = (
    SagaStarted
    | StepBegun
    | StepDelayed
    | StepCompleted
    | StepRefused
    | StepTimedOut
    | StepUndone
    | UndoDelayed
    | WaitBegun
    | EventArrived
    | WaitExpired
    | SagaWoken
    | CompensationOrdered
    | SagaRetried
    | SagaCompleted
    | SagaCompensated
    | SagaFailed
    | SagaResolved
)


class DeadlinesKept(Event):
    """When every saga of one name has to be looked at, as far as the events up to ``position``."""

    position: int
    moments: dict[str, int]  # by the saga's id; milliseconds since 1970


DEADLINES: Final = Category.of_records("deadlines", DeadlinesKept)
