"""One action of an operator: on what, by whom, why, and what came of it.

Stream: ``operation-<id>``.

    begun → ended         done, refused, failed, or unknown: it may have been done
      └─→ (nothing more)  its process was killed in between, so the outcome is unknown, too
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, assert_never

from pydantic import Field, StringConstraints

from application.category import Category
from domain.decider import Command, Decider, DomainError, Event, Missing, replace
from domain.values import Name, Text

Reason = Annotated[Text, StringConstraints(min_length=1)]
Detail = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=2000)]
"""What was there, or what was done, in words."""


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"  # nothing was changed
    FAILED = "failed"  # it ended with an error: some of it may have been done
    UNKNOWN = "unknown"  # no answer came: all or some of it may have been done


# ── events ───────────────────────────────────────────────────────────────────────────────────────


class OperationBegun(Event):
    action: Name  # "read-model pause"
    target: Text
    by: Name
    reason: Reason
    through: Name  # "console", "command line"
    before: Detail = ""


class OperationEnded(Event):
    outcome: Outcome
    detail: Detail = ""
    after: Detail = ""


OperationEvent = OperationBegun | OperationEnded

# ── state ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Operation:
    begun: OperationBegun | None = None
    ended: OperationEnded | None = None


def evolve(operation: Operation, event: OperationEvent) -> Operation:
    match event:
        case OperationBegun():
            return replace(operation, begun=event)
        case OperationEnded():
            return replace(operation, ended=event)
        case _:
            assert_never(event)


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


class BeginOperation(Command):
    action: Name
    target: Text
    by: Name
    reason: Reason
    through: Name
    before: Detail = ""


class EndOperation(Command):
    outcome: Outcome
    detail: Detail = Field("")
    after: Detail = Field("")


OperationCommand = BeginOperation | EndOperation


class AlreadyBegun(DomainError):
    """The same action was sent before. It is carried out once."""


class NotBegun(Missing):
    """No action has that id."""


# ── decide ───────────────────────────────────────────────────────────────────────────────────────


def decide(command: OperationCommand, operation: Operation) -> Sequence[OperationEvent]:
    match command:
        case BeginOperation():
            if operation.begun is not None:
                raise AlreadyBegun("this was sent before, and is carried out once")
            return [OperationBegun(**dict(command))]
        case EndOperation():
            if operation.begun is None:
                raise NotBegun("no action has this id")
            return [] if operation.ended else [OperationEnded(**dict(command))]
        case _:
            assert_never(command)


decider: Decider[OperationCommand, Operation, OperationEvent] = Decider(Operation(), evolve, decide)
OPERATION: Final = Category.of("operation", decider, OperationCommand, OperationEvent)
