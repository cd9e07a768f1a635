"""The recorded answers of the real server, and in what another node differs from them."""

import json
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from tests.conformance.asking import Asked, ask, ask_patiently
from tests.conformance.scenarios import chosen

HERE: Final = Path(__file__).parent
RECORDED: Final[Asked] = json.loads((HERE / "answers.json").read_text())
"""What the real server answered."""

NOTED: Final[Asked] = {
    question: answer
    for note in tomllib.loads((HERE / "noted.toml").read_text())["note"]
    for question, answer in note["answers"].items()
}
"""What it was seen to do, and is not recorded."""

_EXPECTED: Final[Asked] = {**RECORDED, **NOTED}
_NOTHING: Final = "(not asked)"


@dataclass(frozen=True)
class Difference:
    """A question that was answered otherwise than the real server answered it."""

    question: str
    recorded: object
    answered: object

    def __str__(self) -> str:
        return "\n".join(
            (
                self.question,
                f"    server: {json.dumps(self.recorded, ensure_ascii=False)}",
                f"    node:   {json.dumps(self.answered, ensure_ascii=False)}",
            )
        )


@dataclass(frozen=True)
class Verdict:
    """What a comparison found."""

    asked: int
    differences: Sequence[Difference]
    may_differ: Sequence[Difference]  # those that have a reason

    def __str__(self) -> str:
        lines = [str(difference) for difference in self.differences]
        counts = f"{self.asked} asked, {len(self.differences)} differ"
        return "\n".join([*lines, f"{counts}, {len(self.may_differ)} more may"])


def reasons() -> Mapping[str, str]:
    """The reason of each pattern of names of questions whose answers may differ."""
    table = tomllib.loads((HERE / "may_differ.toml").read_text())
    return {pattern: group["reason"] for group in table["group"] for pattern in group["questions"]}


async def compare(target: str, only: str = "", known: Collection[str] = ()) -> Verdict:
    """Asks the node at ``host:port`` the questions of all scenarios whose names begin so.

    Scenarios with an answer that must not differ and does are asked a second time, alone and with
    patience, unless it is ``known``; an answer that was right once is right.
    """
    scenarios = chosen(only)
    answers = dict(await ask(target, scenarios))
    doubtful = {one.question for one in judge(answers, only).differences} - {*known}
    again = [one for one in scenarios if any(map(one.asks, doubtful))]
    for name, answer in (await ask_patiently(target, again)).items():
        if name in doubtful:
            answers[name] = answer
    return judge(answers, only)


def judge(answers: Asked, only: str = "") -> Verdict:
    """In what these answers differ from the recorded ones whose names begin so."""
    expected = {name: answer for name, answer in _EXPECTED.items() if name.startswith(only)}
    differences = [
        Difference(name, expected.get(name, _NOTHING), answers.get(name, _NOTHING))
        for name in {**expected, **answers}
        if expected.get(name, _NOTHING) != answers.get(name, _NOTHING)
    ]
    may = [one for one in differences if _may_differ(one.question)]
    must_not = [one for one in differences if one not in may]
    return Verdict(len(answers), must_not, may)


def _may_differ(question: str) -> bool:
    return any(fnmatchcase(question, pattern) for pattern in reasons())
