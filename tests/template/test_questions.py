"""The questions of the template: good defaults, and reasons for what is refused."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from tests.code_names import ROOT
from tests.template import taken
from tests.template.cells import VALUES, valid
from tests.template.combinations import combinations
from tests.template.features import FEATURES, PREFIX, QUESTIONS
from tests.template.pairs import pairwise
from tests.template.service import settled


def test_all_answers_have_defaults() -> None:
    """Without an answer it is a service on EventStoreDB with views in PostgreSQL, and runs."""
    answers = settled({})
    chosen = {"event_store": "eventstoredb", "read_models": "postgres", "embedded": True}
    assert chosen.items() <= answers.items()
    assert (answers["package"], answers["cli"]) == ("my_service", "my-service")


def test_names_follow_from_the_name() -> None:
    """Package, command and first aggregate, as far as the name has one."""
    answers = settled({"name": "Order & Invoices"})
    names = {name: answers[name] for name in ("package", "cli", "aggregate", "aggregates")}
    assert names == {
        "package": "order_invoices",
        "cli": "order-invoices",
        "aggregate": "invoice",
        "aggregates": "invoices",
    }


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"name": "1st"}, "write 2 to 60 letters, digits and spaces that begin with a letter"),
        ({"name": 'A "quoted" name'}, "write 2 to 60 letters"),
        ({"package": "2nd"}, "write 2 to 30 small letters and digits that begin with a letter"),
        ({"package": "order-billing"}, "with single _ between words"),
        ({"package": "Billing"}, "write 2 to 30 small letters"),
        ({"package": "order__x"}, "with single _ between words"),
        ({"package": "class"}, "class is taken, by Python, a library or a part of the template"),
        ({"package": "json"}, "json is taken"),
        ({"package": "fastapi"}, "fastapi is taken"),
        ({"package": "application"}, "application is taken"),
        ({"package": "ports"}, "ports is taken"),
        ({"package": "shop"}, "shop is taken"),
        ({"cli": "order_billing"}, "with single - between words"),
        ({"cli": "git"}, "git is a command that people have already: choose another name"),
        ({"description": 'Says "hello".'}, "without quotation marks"),
        ({"description": "One line.\nAnother."}, "write one sentence"),
        ({"author": "   "}, "write a name of at most 80 characters"),
        ({"licence": "GPL"}, "licence"),
        ({"event_store": "kafka"}, "event_store"),
        (
            {"event_store": "postgres", "read_models": "dynamodb"},
            "with events in PostgreSQL, read models are in the same database",
        ),
        (
            {"event_store": "dynamodb", "read_models": "dynamodb", "embedded": True},
            "there is no embedded DynamoDB",
        ),
        (
            {"example": "shop", "read_models": "dynamodb"},
            "the shop finds products by words, which DynamoDB cannot: choose search=opensearch",
        ),
        ({"aggregate": "lambda"}, "lambda is taken"),
        ({"aggregate": "decider"}, "decider is taken"),
        ({"aggregate": "Order"}, "write 2 to 20 small letters"),
        ({"aggregate": "order", "aggregates": "order"}, "order is taken"),
        ({"aggregate": "my_service"}, "my_service is taken"),
    ],
)
def test_a_wrong_answer_is_refused_with_the_reason(answers: Mapping[str, Any], says: str) -> None:
    """And with what would be right."""
    with pytest.raises(ValueError, match=re.escape(says)):
        settled(answers)


def test_a_list_refuses_by_its_choices() -> None:
    """In a terminal copier validates only what is typed. So a question with choices, or one for yes
    or no, refuses by a validator of the choice, or is not asked."""
    picked = {
        name: question
        for name, question in QUESTIONS.items()
        if "choices" in question or question.get("type") == "bool"
    }
    unseen = {name for name, one in picked.items() if "validator" in one and "when" not in one}
    assert unseen == set()


def test_all_other_combinations_are_accepted() -> None:
    """What the matrix takes for valid, the questions do, too."""
    for choice in pairwise(VALUES, valid):
        settled({name: yaml.safe_load(value) for name, value in choice.items()})


def test_the_names_that_are_taken_are_current() -> None:
    """The file has every name of Python, of the libraries, and of the kit.

    One that only another version of Python has may be there, too.
    """
    known = {*yaml.safe_load(taken.FILE.read_text())["taken"]["default"]}
    missing = {*taken.names()} - known
    assert missing == set(), "taken.yml is not current: run `python -m tests.template taken`"


def test_a_name_of_the_shop_is_free_for_a_team() -> None:
    """A service without the shop may have orders, stock and payments of its own."""
    for aggregate in ("order", "payment", "shipment"):
        assert settled({"aggregate": aggregate})["aggregates"] == f"{aggregate}s"


def test_every_combination_of_features_comes_from_answers() -> None:
    """What markers are checked for is what answers can lead to."""
    assert {feature for chosen in combinations() for feature in chosen} == {*FEATURES}
    answers = settled({"event_store": "postgres", "example": "none", "bus": "kafka"})
    chosen = frozenset(feature for feature in FEATURES if answers[f"{PREFIX}{feature}"])
    assert chosen in {*combinations()}


def test_the_template_runs_nothing_on_the_machine_of_its_user() -> None:
    """Copier asks nobody to trust it: it has neither tasks nor migrations nor extensions."""
    document = yaml.safe_load((ROOT / "copier.yml").read_text().partition("\n---\n")[0])
    assert not {"_tasks", "_migrations", "_jinja_extensions"} & {*document}
    assert {*QUESTIONS} >= {"name", "package", "cli", "event_store", "example", "forge"}
