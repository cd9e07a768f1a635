"""The timeline of a saga: steps with their attempts, compensations, and operators' commands.

Operators may repeat a command for ever, so only the latest ``ENTRIES`` are kept.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict

from application.sagas.events import (
    CompensationOrdered,
    SagaEvent,
    SagaFailed,
    SagaResolved,
    SagaRetried,
    StepCompleted,
    StepDelayed,
    StepRefused,
    StepTimedOut,
    StepUndone,
    UndoDelayed,
    WaitExpired,
)
from application.sagas.state import SagaState, SagaStatus


class EntryKind(StrEnum):
    STEP = "step"
    UNDO = "undo"
    COMMAND = "command"

    @classmethod
    def _missing_(cls, value: object) -> "EntryKind | None":
        """In views of an earlier release, the kind of a command is ``"wish"``."""
        return cls.COMMAND if value == "wish" else None


class EntryOutcome(StrEnum):
    UNDER_WAY = "under way"
    COMPLETED = "completed"
    REFUSED = "refused"  # it will never be done
    TIMED_OUT = "timed out"  # whether it was done is unknown
    EXPIRED = "expired"  # what it waited for did not come
    CUT_OFF = "cut off"  # an operator's command came in between
    UNDONE = "undone"
    FAILED = "failed"  # a person must act
    RECORDED = "recorded"  # a command


class TimelineEntry(BaseModel):
    """A step with all its attempts, the undoing of one, or an operator's command."""

    model_config = ConfigDict(frozen=True)

    kind: EntryKind
    name: str  # of the step, or of the command: retry, compensate, resolve
    outcome: EntryOutcome = EntryOutcome.UNDER_WAY
    attempts: int = 0  # those that have ended
    began_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    error: str | None = None  # why it is not done, or was not at the last attempt but one
    by: str | None = None  # whose command
    reason: str | None = None  # of the command


Timeline = tuple[TimelineEntry, ...]

ENTRIES: Final = 100
"""How many entries of a timeline are kept; a saga has two for each of its steps at most, and two
for each command."""


def extended(timeline: Timeline, event: SagaEvent, after: SagaState, at: datetime) -> Timeline:
    """The timeline with what this event adds; ``after`` is the state that it leads to."""
    if (command := _command(event, at)) is not None:
        timeline = (*_closed(timeline, EntryOutcome.CUT_OFF, at, attempts=0), command)
    elif isinstance(event, StepDelayed | UndoDelayed):
        timeline = _changed(timeline, attempts=1, error=event.error)
    elif isinstance(event, StepRefused | StepTimedOut | WaitExpired | SagaFailed):
        error = event.error if isinstance(event, StepTimedOut | WaitExpired) else event.reason
        timeline = _closed(_changed(timeline, error=error), _ENDS[type(event)], at)
    elif isinstance(event, StepCompleted | StepUndone):
        timeline = _closed(timeline, _ENDS[type(event)], at)
    return _begun(timeline, after, at)[-ENTRIES:]


_ENDS: Final = {
    StepCompleted: EntryOutcome.COMPLETED,
    StepRefused: EntryOutcome.REFUSED,
    StepTimedOut: EntryOutcome.TIMED_OUT,
    WaitExpired: EntryOutcome.EXPIRED,
    SagaFailed: EntryOutcome.FAILED,
    StepUndone: EntryOutcome.UNDONE,
}


def _command(event: SagaEvent, at: datetime) -> TimelineEntry | None:
    match event:
        case SagaRetried(by=by, reason=reason):
            name = "retry"
        case CompensationOrdered(by=by, reason=reason):
            name = "compensate"
        case SagaResolved(by=by, reason=reason):
            name = "resolve"
        case _:
            return None
    return TimelineEntry(
        kind=EntryKind.COMMAND,
        name=name,
        outcome=EntryOutcome.RECORDED,
        began_at=at,
        ended_at=at,
        by=by,
        reason=reason,
    )


def _begun(timeline: Timeline, after: SagaState, at: datetime) -> Timeline:
    """With what is under way now, unless that has begun before."""
    if _open(timeline) is not None:
        return timeline
    if after.status is SagaStatus.RUNNING and after.under_way:
        return (*timeline, TimelineEntry(kind=EntryKind.STEP, name=after.under_way, began_at=at))
    if after.status is SagaStatus.COMPENSATING and after.to_undo:
        return (*timeline, TimelineEntry(kind=EntryKind.UNDO, name=after.to_undo[-1], began_at=at))
    return timeline


def _open(timeline: Sequence[TimelineEntry]) -> TimelineEntry | None:
    """What is under way is always the last."""
    return timeline[-1] if timeline and timeline[-1].outcome is EntryOutcome.UNDER_WAY else None


def _closed(timeline: Timeline, outcome: EntryOutcome, at: datetime, attempts: int = 1) -> Timeline:
    if _open(timeline) is None:
        return timeline
    *before, last = _changed(timeline, attempts=attempts)
    return (*before, last.model_copy(update={"outcome": outcome, "ended_at": at}))


def _changed(timeline: Timeline, *, attempts: int = 0, error: str | None = None) -> Timeline:
    *before, last = timeline
    changes = {"attempts": last.attempts + attempts, "error": error or last.error}
    return (*before, last.model_copy(update=changes))
