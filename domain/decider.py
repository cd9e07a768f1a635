"""An aggregate is a decider: three pure parts, without storage.

- ``initial``: the state before anything has happened;
- ``evolve(state, event)``: the state after an event. It never refuses: the event has happened.
- ``decide(command, state)``: the events that follow from a command, or a refusal.

A command that has been carried out already returns no events. A refusal is a
:class:`DomainError` named as a fact. Time and ids come from outside. The time of an event is in its
metadata (``occurred_at``), not in the event.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from domain.speed import replace as replace


class Event(BaseModel):
    """A fact. Class and field names are the stored format: add with a default, never rename.

    Fields that a later release added are ignored, so an older process can still read.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True
    )  # built on first use: a command line imports all models, and works with few


class Command(BaseModel):
    """A request. Unknown fields are an error, so that a misspelt command has no effect."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True
    )


class DomainError(Exception):
    """A refusal. Its class names the rule, its docstring states it, its message has the case."""


class Missing(DomainError):
    """What the command is about does not exist."""


C = TypeVar("C", bound=Command)
S = TypeVar("S")
E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Decider(Generic[C, S, E]):
    """The behaviour of one aggregate, as data."""

    initial: S
    evolve: Callable[[S, E], S]
    decide: Callable[[C, S], Sequence[E]]

    def fold(self, events: Iterable[E]) -> S:
        """The state after these events, oldest first."""
        return reduce(self.evolve, events, self.initial)
