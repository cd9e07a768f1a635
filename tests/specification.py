"""Given a history, when a command comes, then these events follow: the language of domain tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

import pytest

from domain.decider import C, Decider, DomainError, E, S


@dataclass(frozen=True)
class Specification(Generic[C, S, E]):
    """Starts a sentence about one aggregate."""

    decider: Decider[C, S, E]

    def given(self, *history: E) -> "Given[C, S, E]":
        """What has happened so far, oldest first; nothing for a new stream."""
        return Given(self.decider, history)


@dataclass(frozen=True)
class Given(Generic[C, S, E]):
    decider: Decider[C, S, E]
    history: Sequence[E]

    def when(self, command: C) -> "When[C, S, E]":
        return When(self.decider, self.history, command)


@dataclass(frozen=True)
class When(Generic[C, S, E]):
    decider: Decider[C, S, E]
    history: Sequence[E]
    command: C

    def then(self, *expected: E) -> None:
        """These events follow, and repeating the command at once adds nothing."""
        decided = self._decide(self.history)

        assert list(expected) == list(decided)
        assert list(self._decide([*self.history, *decided])) == [], "repeated, it did it again"

    def then_nothing(self) -> None:
        """The wish is fulfilled already."""
        assert list(self._decide(self.history)) == []

    def then_refused(self, refusal: type[DomainError]) -> None:
        """The command is refused for exactly this reason, with a message."""
        with pytest.raises(DomainError) as caught:
            self._decide(self.history)

        assert refusal is type(caught.value)
        assert str(caught.value), "a refusal says what was the case"

    def _decide(self, history: Sequence[E]) -> Sequence[E]:
        return self.decider.decide(self.command, self.decider.fold(history))
