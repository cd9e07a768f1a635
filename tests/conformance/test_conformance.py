"""The embedded node answers as the real server answered."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final
from urllib.parse import urlsplit

import pytest

from infrastructure.embedded.eventstoredb.process import NodeProcess
from tests.conformance.comparing import NOTED, RECORDED, compare, judge, reasons

EXPECTED: Final = {**RECORDED, **NOTED}
KNOWN: Final[frozenset[str]] = frozenset(
    {
        "read_all_filters / dotnet regex",
        "nothing_matches / from the start",
        "nothing_matches / from (0, 0)",
        "nothing_matches / window 5 from (0, 0), the first two",
        "ids_forgotten / any",
        "ids_forgotten / there by any",
        "group_on_all_loses / filtered",
    }
)
"""In what the node differs today; each mended one goes."""


@pytest.fixture
def target(fresh_node: NodeProcess) -> str:
    """The address of a node that nobody else asks."""
    return urlsplit(fresh_node.uri).netloc


async def test_the_node_answers_as_the_server_did(target: str) -> None:
    """Of all questions no answer differs from the recorded one, but where it may, with a reason."""
    verdict = await compare(target, known=KNOWN)
    differ = {one.question for one in verdict.differences}
    unknown = "\n".join(str(one) for one in verdict.differences if one.question not in KNOWN)
    assert not unknown, f"answered otherwise than the server did:\n{unknown}"
    assert not KNOWN - differ, "mended: take these off the list"


def test_every_question_is_kept() -> None:
    """The real server was asked 466 questions."""
    assert len(RECORDED) == 466


@pytest.mark.parametrize(
    "answers",
    [{**EXPECTED, "read_links / plain": []}, {**EXPECTED, "mine / new": 1}],
    ids=["answered otherwise", "not asked of the server"],
)
def test_what_differs_is_named(answers: Mapping[str, object]) -> None:
    """A question that is answered otherwise, or that nobody has asked the server, differs."""
    (difference,) = judge(answers).differences
    assert difference.question in ("read_links / plain", "mine / new")


def test_a_question_that_is_not_asked_differs() -> None:
    """A question that the runner leaves out is not taken for one that is answered rightly."""
    left_out = "read_links / plain"
    answers = {question: answer for question, answer in EXPECTED.items() if question != left_out}
    (difference,) = judge(answers).differences
    assert difference.question == left_out


def test_what_may_differ_is_counted_apart() -> None:
    """A difference that has a reason is not one that must not be."""
    verdict = judge({**EXPECTED, "deleting / delete $all": "refused"})
    assert (list(verdict.differences), len(verdict.may_differ)) == ([], 1)


@pytest.mark.parametrize("pattern", reasons())
def test_every_reason_is_for_a_question(pattern: str) -> None:
    """The table of what may differ names questions that are asked."""
    assert any(fnmatchcase(question, pattern) for question in RECORDED)
