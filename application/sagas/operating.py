"""What an operator may ask of a saga. The saga's page: events, state, and here the commands.

What the engine records needs no command: it follows from the definition. These are the wishes that
a person has, each kept with a name and a reason.
"""

from collections.abc import Sequence
from typing import assert_never

from application.sagas.events import (
    CompensationOrdered,
    SagaEvent,
    SagaResolved,
    SagaRetried,
)
from application.sagas.state import AT_WORK, SagaState, Status, evolve
from domain.decider import Command, Decider, DomainError, Missing
from domain.values import Text


class RetrySaga(Command):
    """Try again at once what it waits for, or failed at."""

    by: Text
    reason: Text


class CompensateSaga(Command):
    """Undo all that it has done."""

    by: Text
    reason: Text


class ResolveSaga(Command):
    """Close it: a person has seen to it by other means."""

    by: Text
    reason: Text


SagaCommand = RetrySaga | CompensateSaga | ResolveSaga


class UnknownSaga(Missing):
    """No saga has been started under this id."""


class NothingToRetry(DomainError):
    """The saga waits for nothing and has not failed."""


class AlreadyCompensated(DomainError):
    """All that it did is undone."""


class NotFailed(DomainError):
    """Only what can go neither on nor back is resolved by hand."""


def decide(command: SagaCommand, saga: SagaState) -> Sequence[SagaEvent]:
    if saga.status is None:
        raise UnknownSaga("there is no saga with this id")
    match command:
        case RetrySaga(by=by, reason=reason):
            _require_stuck(saga)
            return [SagaRetried(by=by, reason=reason)]
        case CompensateSaga(by=by, reason=reason):
            return _compensate(by, reason, saga.status)
        case ResolveSaga(by=by, reason=reason):
            return _resolve(by, reason, saga.status)
        case _:
            assert_never(command)


def _require_stuck(saga: SagaState) -> None:
    if saga.status is not Status.FAILED and not (saga.status in AT_WORK and saga.attempts):
        raise NothingToRetry(f"it is {saga.status}, and no attempt has failed")


def _compensate(by: str, reason: str, status: Status) -> Sequence[SagaEvent]:
    match status:
        case Status.COMPENSATING:
            return []
        case Status.COMPENSATED:
            raise AlreadyCompensated("all that it did is undone already")
        case _:
            return [CompensationOrdered(by=by, reason=reason)]


def _resolve(by: str, reason: str, status: Status) -> Sequence[SagaEvent]:
    match status:
        case Status.RESOLVED:
            return []
        case Status.FAILED:
            return [SagaResolved(by=by, reason=reason)]
        case _:
            raise NotFailed(f"it is {status}: retry it, or have it compensated")


decider: Decider[SagaCommand, SagaState, SagaEvent] = Decider(SagaState(), evolve, decide)
