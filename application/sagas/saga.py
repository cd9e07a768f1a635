"""A saga is steps in order, each with its compensation: data and pure functions.

    running ──────→ completed                 every step is done
       └─→ compensating ──→ compensated       what may have happened is undone, last in, first out
    either ──→ failed                         a person must act: retry, compensate or resolve

A step does one of three things: it *acts*, it *checks*, or it *waits*. How a saga moves from one
step to the next is in :mod:`application.sagas.progress`, so that any engine can host it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from application.backoff import Backoff
from application.category import Category
from application.messages import RecordedEvent
from application.sagas.actions import Action
from application.sagas.events import SagaStarted
from application.sagas.operating import saga_category
from application.sagas.state import SagaState
from domain.decider import Decider

RETRIES: Final = Backoff(1, most=30)
"""How long a step waits after a failed attempt, unless it says otherwise."""


class Facts(BaseModel):
    """All that the steps of one saga need to know, taken from the event that starts it."""

    model_config = ConfigDict(frozen=True, defer_build=True)


F = TypeVar("F", bound=Facts)


def nothing(facts: F, reason: str = "") -> Sequence[Action]:  # noqa: ARG001 - as every step is asked
    """Nothing is to be done, or undone."""
    return ()


@dataclass(frozen=True)
class Check:
    """A condition on the state of one stream, which is read and left as it is."""

    stream: str
    decider: Decider[Any, Any, Any]
    require: Callable[[Any], None]  # given the state: raises a DomainError where it does not hold


def within(pause: timedelta) -> Callable[[Any, datetime], datetime]:
    """The moment that is so long after the wait began."""
    return lambda _, began: began + pause


def same_id(recorded: RecordedEvent) -> str | None:
    """The id of the aggregate is the id of the saga."""
    return recorded.stream_id


@dataclass(frozen=True)
class Wait(Generic[F]):
    """What a step waits for: an event, at most until a moment; or the moment alone.

    Without ``event`` the saga goes on when the moment has come. With one it goes on when the event
    has come, be it before the step. If the moment comes first, the saga goes back; beyond its
    point of no return it fails instead, and a person must act.
    """

    until: Callable[[F, datetime], datetime]  # given the facts, and when the wait begins
    event: type[Any] | None = None
    saga_id: Callable[[RecordedEvent], str | None] = same_id  # which saga such an event is for


@dataclass(frozen=True)
class Step(Generic[F]):
    """One step: what it does, and what undoes that (given the reason), each safe to repeat.

    It acts, or it only checks, or it waits. What acts or checks is given up, and undone, when it is
    not done ``timeout`` after it was begun. A wait is undone only where its event has come, and
    also where that comes too late. Raises ``ValueError`` for a step that does two things.
    """

    name: str
    act: Callable[[F], Sequence[Action]] = nothing
    undo: Callable[[F, str], Sequence[Action]] = nothing
    timeout: timedelta = timedelta(minutes=5)
    retries: Backoff = RETRIES
    alert_after: int = 5  # failed attempts; then the saga counts as stuck
    in_order: bool = False  # its actions are performed one after the other, else side by side
    checks: Callable[[F], Sequence[Check]] | None = None
    waits: Wait[F] | None = None

    def __post_init__(self) -> None:
        does = (self.act is not nothing, self.checks is not None, self.waits is not None)
        if sum(does) > 1:
            raise ValueError(f"step {self.name!r} acts, checks or waits: make it several steps")

    def pause(self, failed: int, chance: float) -> timedelta:
        """After so many failed attempts; ``chance`` (0 to 1) spreads many sagas."""
        return timedelta(seconds=self.retries.seconds(failed - 1, chance))


@dataclass(frozen=True)
class Saga(Generic[F]):
    """One version of a saga. What has been released is never changed: it gets a new version.

    Once the step ``no_return`` is done, a refusal or a timeout turns nothing back any more: a
    refusal needs a person, everything else is retried. Only a command to compensate undoes all.
    Raises ``ValueError`` for two steps of one name, for a ``no_return`` that is not a step, and for
    a step that waits for what starts or cancels the saga.
    """

    name: str
    version: int
    facts: type[F]
    steps: tuple[Step[F], ...]
    no_return: str
    started_by: Callable[[RecordedEvent], F | None]  # of an event of ``starts``; None: not by it
    starts: type[Any]  # the event that starts it; the saga has the id of that event's aggregate
    cancels: type[Any]  # the event of that aggregate that has everything undone

    def __post_init__(self) -> None:
        steps = Counter(step.name for step in self.steps)
        if doubles := sorted(name for name, times in steps.items() if times > 1):
            raise ValueError(f"{self.name} has two steps named {', '.join(doubles)}")
        if self.no_return not in steps:
            raise ValueError(
                f"{self.name} cannot turn back after {self.no_return!r}, which is not a step: "
                f"name one of {', '.join(steps)}"
            )

        if both := self.awaited & {self.starts.__name__, self.cancels.__name__}:
            raise ValueError(
                f"{self.name} waits for {', '.join(sorted(both))}, which starts or cancels it"
            )

    @property
    def category(self) -> Category:
        """That of its streams."""
        return saga_category(self.name)

    def step(self, name: str) -> Step[F]:
        return next(step for step in self.steps if step.name == name)

    @property
    def waits(self) -> Sequence[tuple[Step[F], Wait[F]]]:
        """The steps that wait, and what for."""
        return [(step, step.waits) for step in self.steps if step.waits]

    @property
    def awaited(self) -> frozenset[str]:
        """The types of the events that its steps wait for."""
        return frozenset(wait.event.__name__ for _, wait in self.waits if wait.event)

    def known(self, state: SagaState) -> F:
        """The facts of one saga."""
        return self.facts.model_validate(state.facts)

    def irrevocable(self, state: SagaState) -> bool:
        return self.no_return in state.done

    def start(self, facts: F) -> SagaStarted:
        return SagaStarted(
            saga=self.name, version=self.version, facts=facts.model_dump(mode="json")
        )
