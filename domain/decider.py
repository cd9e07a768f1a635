"""What an aggregate is: a decider, three pure things that know nothing of storage.

- ``initial``: the state before anything has happened;
- ``evolve(state, event)``: what an event does to the state (history, so it never refuses);
- ``decide(command, state)``: which events follow, or a refusal (intent, so it may refuse).

A command that has been carried out already returns no events. A refusal is a
:class:`DomainError` named as a fact. Time and ids come in from outside: when something happened
stands in the metadata of its event (``occurred_at``), not in the event.
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

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Command(BaseModel):
    """A wish. Unknown fields are an error: a misspelt wish must not be half understood."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class DomainError(Exception):
    """A refusal. Its class names the rule, its docstring states it, its message has the case."""


class Missing(DomainError):
    """What the command is about does not exist."""


C = TypeVar("C", bound=Command)
S = TypeVar("S")
E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Decider(Generic[C, S, E]):
    """One aggregate's behaviour, as data."""

    initial: S
    evolve: Callable[[S, E], S]
    decide: Callable[[C, S], Sequence[E]]

    def fold(self, events: Iterable[E]) -> S:
        """The state after these events, oldest first."""
        return reduce(self.evolve, events, self.initial)
