"""The embedded node answers as the real server answered."""

import asyncio
from collections.abc import Mapping

import pytest

from conformance.asking import ask
from conformance.comparing import Verdict, compare, judge
from conformance.node import Node
from conformance.recorded import ALLOWED, EXPECTED, NOTED, RECORDED, When
from conformance.requests.streams import append, event
from conformance.scenarios import Answers, Scenario
from conformance.target import NotAsked, target
from embedded_eventstoredb import NodeProcess


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    """The comparison with a node of its own."""
    with NodeProcess(http_port=0) as node:
        return asyncio.run(compare(target(node.uri, node.http)))


def test_the_node_answers_as_the_server_did(verdict: Verdict) -> None:
    """Of all questions no answer differs from the recorded one, but where it may, with a reason."""
    assert not verdict.differences, f"answered otherwise than the server did:\n{verdict}"


def test_what_may_differ_does(verdict: Verdict) -> None:
    """A question that is answered as the server does needs no reason any more."""
    lasting = {name for one in ALLOWED if one.when is not When.BY_CHANCE for name in one.questions}
    assert not lasting - {one.question for one in verdict.may_differ}


def test_every_question_is_kept() -> None:
    """The real server was asked 466 questions, and those that were not recorded are others."""
    assert len(RECORDED) == 466
    assert not RECORDED.keys() & NOTED.keys()


@pytest.mark.parametrize(
    "answers",
    [{**EXPECTED, "read_links / plain": []}, {**EXPECTED, "mine / new": 1}],
    ids=["answered otherwise", "not asked of the server"],
)
def test_what_differs_is_named(answers: Mapping[str, object]) -> None:
    """A question with another answer, or one that the server was not asked, is a difference."""
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


def test_other_words_are_allowed_and_consent_is_not() -> None:
    """Where the server refuses, the node must refuse, too, but may explain it better."""
    (consent,) = judge({**EXPECTED, "append_ids / nil id": {"success": {}}}).differences
    words = judge({**EXPECTED, "append_ids / nil id": {"FAULT": "INVALID_ARGUMENT"}})
    assert (consent.question, list(words.differences)) == ("append_ids / nil id", [])


def test_every_reason_is_for_a_question() -> None:
    """The table of what may differ names questions that are asked, each once."""
    names = [name for one in ALLOWED for name in one.questions]
    assert sorted(names) == sorted({*names} & RECORDED.keys())


@pytest.mark.parametrize(
    "uri",
    [
        "esdb://127.0.0.1:2113",
        "esdb://127.0.0.1:2113?tls=true",
        "esdb://admin:changeit@127.0.0.1:2113?tls=false",
        "esdb://127.0.0.1:2113,127.0.0.1:2114?tls=false",
        "esdb+discover://127.0.0.1:2113?tls=false",
        "127.0.0.1:2113",
    ],
)
def test_only_one_insecure_node_is_asked(uri: str) -> None:
    """The answers are of one insecure node: any other address is refused, with what is right."""
    assert target("esdb://127.0.0.1:2113?Tls=false").grpc == "127.0.0.1:2113"
    with pytest.raises(NotAsked, match="give esdb://"):
        target(uri)


@pytest.mark.parametrize(("address", "only"), [("127.0.0.1:1", ""), ("127.0.0.1:1", "nope")])
async def test_nothing_asked_is_no_success(address: str, only: str) -> None:
    """A missing node, or an unknown scenario, is an error, and nothing is compared."""
    with pytest.raises(NotAsked):
        await compare(target(f"esdb://{address}?tls=false"), only)


@pytest.mark.parametrize(
    ("error", "answer"),
    [(IndexError, "IndexError: no event"), (asyncio.CancelledError, "cancelled")],
)
async def test_a_scenario_that_breaks_off_ends_no_other(
    node: NodeProcess, error: type[BaseException], answer: str
) -> None:
    """An answer that a scenario cannot use, or a call that gRPC cancels, is one more answer."""

    async def broken(asked: Node) -> Answers:
        yield "first", await append(asked, asked.fresh("s"), [event("A")])
        raise error("no event")

    scenarios = [Scenario(broken, alone=alone) for alone in (False, True)]
    answers = await ask(target(node.uri), scenarios)
    assert answers.keys() == {"broken / first", "broken / broke off"}
    assert answers["broken / broke off"] == answer
