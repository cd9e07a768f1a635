"""Scenarios: questions that belong together, each with a name of its own."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from conformance.node import Node

Answers: TypeAlias = AsyncIterator[tuple[str, object]]
"""The name of each question, and what it was answered. A scenario of one question needs no name."""

Questions: TypeAlias = Callable[[Node], Answers]


@dataclass(frozen=True)
class Scenario:
    """Some questions, asked one after the other."""

    questions: Questions
    alone: bool  # nothing else may go on in the node meanwhile

    @property
    def name(self) -> str:
        return self.questions.__name__

    def question(self, label: str) -> str:
        """The name of one of its questions."""
        return f"{self.name} / {label}" if label else self.name

    def asks(self, question: str) -> bool:
        """Whether that is the name of one of its questions."""
        return question.partition(" / ")[0] == self.name


SCENARIOS: Final[list[Scenario]] = []


def asks(questions: Questions) -> Questions:
    """Declares a scenario that may be asked while others are."""
    SCENARIOS.append(Scenario(questions, alone=False))
    return questions


def asks_alone(questions: Questions) -> Questions:
    """Declares one that disturbs others, or is disturbed by them: asked last, in the order here."""
    SCENARIOS.append(Scenario(questions, alone=True))
    return questions


def chosen(prefix: str = "") -> Sequence[Scenario]:
    """The scenarios whose names begin with ``only``."""
    return [scenario for scenario in SCENARIOS if scenario.name.startswith(prefix)]
