"""What is expected: recorded answers, noted ones, and in which of them a node may differ."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent

RECORDED: Final[Mapping[str, object]] = json.loads((_HERE / "answers.json").read_text())
"""What the real server answered, by question."""

NOTED: Final[Mapping[str, object]] = {
    question: answer
    for note in tomllib.loads((_HERE / "noted.toml").read_text())["note"]
    for question, answer in note["answers"].items()
}
"""What it was seen to do, and is not recorded, by question."""

EXPECTED: Final[Mapping[str, object]] = {**RECORDED, **NOTED}

_REFUSALS: Final = ('"FAULT"', '"error"', '"Faulted')


class When(StrEnum):
    """In which cases a difference is allowed."""

    BOTH_REFUSE = "both refuse"  # in other words
    ALWAYS = "always"  # the node differs on purpose
    BY_CHANCE = "by chance"  # the server differs from itself


@dataclass(frozen=True)
class Allowance:
    """Questions with answers that may differ, when, and why."""

    when: When
    reason: str
    questions: Sequence[str]

    def covers(self, question: str, recorded: object, answered: object) -> bool:
        """Whether that difference is one that it allows."""
        if question not in self.questions:
            return False
        return self.when is not When.BOTH_REFUSE or (_refuses(recorded) and _refuses(answered))


ALLOWED: Final = [
    Allowance(When(group["when"]), group["reason"], group["questions"])
    for group in tomllib.loads((_HERE / "may_differ.toml").read_text())["group"]
]


def _refuses(answer: object) -> bool:
    text = json.dumps(answer)
    return any(word in text for word in _REFUSALS)
