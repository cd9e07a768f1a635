"""In what a node differs from the real server."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from conformance.asking import Asked, ask, ask_patiently
from conformance.recorded import ALLOWED, EXPECTED
from conformance.scenarios import chosen
from conformance.target import NotAsked, Target

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
    late: Collection[str] = ()  # questions that were answered rightly the second time only

    def __str__(self) -> str:
        lines = [str(difference) for difference in self.differences]
        if self.late:
            lines.append(f"right the second time only: {', '.join(sorted(self.late))}")
        counts = f"{self.asked} asked, {len(self.differences)} differ"
        return "\n".join([*lines, f"{counts}, {len(self.may_differ)} more may"])


async def compare(target: Target, only: str = "") -> Verdict:
    """Asks a node the questions of all scenarios whose names begin so.

    Scenarios with an answer that must not differ and does are asked a second time, alone and with
    patience; an answer that was right once is right. Raises NotAsked.
    """
    scenarios = chosen(only)
    if not scenarios:
        raise NotAsked(f"no scenario begins with '{only}'; see conformance/questions")
    answers = dict(await ask(target, scenarios))
    doubtful = {one.question for one in judge(answers, only).differences}
    again = [one for one in scenarios if any(map(one.asks, doubtful))]
    for name, answer in (await ask_patiently(target, again)).items():
        if name in doubtful:
            answers[name] = answer
    verdict = judge(answers, only)
    return replace(verdict, late=doubtful - {one.question for one in verdict.differences})


def judge(answers: Asked, only: str = "") -> Verdict:
    """The differences of these answers from the expected ones whose names begin with ``only``."""
    expected = {name: answer for name, answer in EXPECTED.items() if name.startswith(only)}
    differences = [
        Difference(name, expected.get(name, _NOTHING), answers.get(name, _NOTHING))
        for name in {**expected, **answers}
        if expected.get(name, _NOTHING) != answers.get(name, _NOTHING)
    ]
    may = [one for one in differences if _may_be(one)]
    return Verdict(len(answers), [one for one in differences if one not in may], may)


def _may_be(difference: Difference) -> bool:
    question, recorded, answered = difference.question, difference.recorded, difference.answered
    return any(one.covers(question, recorded, answered) for one in ALLOWED)
