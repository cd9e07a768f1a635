"""The commands of operators to a saga, decided on its events and state.

The engine needs no commands: its events follow from the definition. These are the commands of
operators, each recorded with a name and a reason.
"""

from collections.abc import Sequence
from typing import assert_never

from application.category import Category
from application.sagas.events import (
    CompensationOrdered,
    SagaEvent,
    SagaResolved,
    SagaRetried,
)
from application.sagas.state import SagaState, SagaStatus, evolve
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
    """Close it: an operator has settled it by other means."""

    by: Text
    reason: Text


SagaCommand = RetrySaga | CompensateSaga | ResolveSaga


class UnknownSaga(Missing):
    """No saga has been started under this id."""


class AtItsEnd(DomainError):
    """The saga has ended, so there is nothing to repeat."""


class NotFailed(DomainError):
    """Only a failed saga can be resolved by hand."""


def decide(command: SagaCommand, saga: SagaState) -> Sequence[SagaEvent]:
    if saga.status is None:
        raise UnknownSaga("there is no saga with this id")
    match command:
        case RetrySaga(by=by, reason=reason):
            return [SagaRetried(by=by, reason=reason)] if _waits(saga.status, saga) else []
        case CompensateSaga() if saga.status in (SagaStatus.COMPENSATING, SagaStatus.COMPENSATED):
            return []
        case CompensateSaga(by=by, reason=reason):
            return [CompensationOrdered(by=by, reason=reason)]
        case ResolveSaga(by=by, reason=reason):
            return _resolve(by, reason, saga.status)
        case _:
            assert_never(command)


def _waits(status: SagaStatus, saga: SagaState) -> bool:
    """Whether anything has failed that could be tried again."""
    match status:
        case SagaStatus.FAILED:
            return True
        case SagaStatus.RUNNING | SagaStatus.COMPENSATING:
            return saga.attempts > 0
        case _:
            raise AtItsEnd(f"the saga is {status}: it has ended")


def _resolve(by: str, reason: str, status: SagaStatus) -> Sequence[SagaEvent]:
    match status:
        case SagaStatus.RESOLVED:
            return []
        case SagaStatus.FAILED:
            return [SagaResolved(by=by, reason=reason)]
        case _:
            raise NotFailed(f"the saga is {status}: retry or compensate it")


decider: Decider[SagaCommand, SagaState, SagaEvent] = Decider(SagaState(), evolve, decide)


def saga_category(saga: str) -> Category:
    """The category of one saga. All sagas share their commands, so these say nothing of which."""
    return Category.of(saga, decider, (), SagaEvent)
