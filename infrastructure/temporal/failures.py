"""How the outcomes of a step pass through Temporal: as failures of an activity, by type.

what the ports raise                     type                    retried by
---------------------------------------  ----------------------  --------------------------------
ProviderRefused, a DomainError, a hole   Refused                 nothing: it is final
ProviderUnavailable, OutcomeUnknown, …   the name of its class   the saga, as its step says
any other: a bug                         the name of its class   Temporal, until it is fixed
(a worker died)                          (a timeout)             Temporal
"""

from typing import Final

from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ApplicationErrorCategory,
    TimeoutError,
    TimeoutType,
)

from application.ports import StreamDeleted, StreamHasHole
from application.sagas.attempting import FAULTS
from application.sagas.outcomes import Faulted, Refused, StepOutcome

REFUSED: Final = "Refused"
FAULTED: Final = tuple(fault.__name__ for fault in FAULTS)
FINAL: Final = [StreamHasHole.__name__, StreamDeleted.__name__]
"""Errors of a saga's own stream, with which its workflow fails: a person has to mend the stream."""


def failure(outcome: Refused | Faulted) -> ApplicationError:
    """What an activity raises for an outcome."""
    match outcome:
        case Refused(reason, partly):
            return _outcome(reason, REFUSED, partly)
        case Faulted(error):
            return _outcome(error, error.partition(":")[0])


def _outcome(message: str, type: str, *details: object) -> ApplicationError:
    """Benign: the saga deals with it, so it is neither logged nor counted as a fault of ours."""
    return ApplicationError(
        message,
        *details,
        type=type,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )


def outcome_of(error: ActivityError) -> StepOutcome:
    """What a failed activity means to the saga. Raises it again where it is no outcome."""
    match error.cause:
        case ApplicationError(type="Refused") as refused:
            return Refused(refused.message, partly=bool(refused.details and refused.details[0]))
        case ApplicationError(type=type) as fault if type in FAULTED:
            return Faulted(fault.message)
        case ApplicationError() as bug:
            return Faulted(f"{bug.type}: {bug.message}")
        case TimeoutError() as timeout:
            return Faulted(f"TimeoutError: {_KINDS.get(timeout.type, 'no answer')}")
        case _:
            raise error


_KINDS: Final[dict[TimeoutType | None, str]] = {
    TimeoutType.SCHEDULE_TO_CLOSE: "its time is over",
    TimeoutType.HEARTBEAT: "no sign of life",
}
