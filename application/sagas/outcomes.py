"""What may come of the actions of a step."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Succeeded:
    """It is done, now or before."""


@dataclass(frozen=True)
class Refused:
    """It will never be done, however often it is repeated."""

    reason: str
    partly: bool = False  # a part of it may have happened


@dataclass(frozen=True)
class Faulted:
    """It may work later; it may even have worked."""

    error: str


StepOutcome = Succeeded | Refused | Faulted
