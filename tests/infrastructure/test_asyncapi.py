"""The contract with other systems, printed."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft7Validator

from application.service import Service
from infrastructure.asyncapi import document
from infrastructure.program import Program
from infrastructure.visible import visible_json
from tests.sample.aggregates import ACCOUNT
from tests.sample.program import BANK
from tests.without import COMMAND, run

DOCUMENT: Final = document(BANK)
MESSAGES: Final[Mapping[str, Any]] = DOCUMENT["components"]["messages"]


def nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    """All objects within."""
    if isinstance(node, dict):
        yield node
        for one in node.values():
            yield from nodes(one)
    elif isinstance(node, list):
        for one in node:
            yield from nodes(one)


def at(reference: str) -> Any:
    """What it refers to. Fails where there is nothing."""
    node: Any = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        node = node[name]
    return node


def test_every_topic_and_every_version_is_there() -> None:
    """What is published and what is received, each once, with the way that it goes."""
    ways = {
        (operation["action"], at(operation["channel"]["$ref"])["address"]): [
            message["$ref"].rpartition("/")[2] for message in operation["messages"]
        ]
        for operation in DOCUMENT["operations"].values()
    }

    assert ways == {
        ("send", "bank.transfer"): ["bank.transfer.requested.v1", "bank.transfer.completed.v1"],
        ("send", "bank.account"): ["bank.account.credited.v1"],
        ("receive", "clearing.payments"): [
            "clearing.payment.received.v1",
            "clearing.transfer.rejected.v1",
        ],
    }
    assert list(MESSAGES) == [type for types in ways.values() for type in types]


def test_every_reference_leads_somewhere() -> None:
    """Tools that read the document follow them."""
    references = [node["$ref"] for node in nodes(DOCUMENT) if "$ref" in node]
    assert len(references) > 10

    for reference in references:
        assert at(reference)


def test_names_have_the_characters_that_asyncapi_allows() -> None:
    """Its keys are letters, digits, dots, hyphens and underscores."""
    names = [*MESSAGES, *DOCUMENT["channels"], *DOCUMENT["operations"]]

    assert [name for name in names if not re.fullmatch(r"[\w.-]+", name)] == []


@pytest.mark.parametrize("type", MESSAGES)
@pytest.mark.parametrize("part", ["headers", "payload"])
def test_every_schema_is_one(type: str, part: str) -> None:
    """Each is a JSON Schema of draft 7, which stands alone."""
    written = MESSAGES[type][part]

    assert written["schemaFormat"] == "application/schema+json;version=draft-07"
    Draft7Validator.check_schema(written["schema"])
    assert written["schema"]["required"]
    assert not [node for node in nodes(written) if {"$ref", "$defs", "prefixItems"} & {*node}]


def test_a_prefix_of_topics_is_in_their_addresses() -> None:
    """The names by which the document refers to them stay the same."""
    printed = document(BANK, prefix="test.")

    assert [one["address"] for one in printed["channels"].values()] == [
        f"test.{name}" for name in DOCUMENT["channels"]
    ]
    assert [*printed["channels"]] == [*DOCUMENT["channels"]]


def test_the_command_needs_neither_a_server_nor_a_driver(tmp_path: Path) -> None:
    """In the form in which it is kept, with the prefix of the topics that is set."""
    printed = run(
        ("confluent_kafka",), COMMAND, tmp_path, "bus", "contract", HEADWATER_KAFKA_PREFIX="test."
    )

    assert printed.stdout == visible_json(document(BANK, prefix="test.")) + "\n"


def test_the_same_service_has_the_same_document() -> None:
    """Byte for byte, so that a change of the contract can be seen in a comparison."""
    assert json.dumps(document(BANK)) == json.dumps(DOCUMENT)


def test_a_service_without_neighbours_has_an_empty_contract() -> None:
    """It publishes nothing and receives nothing."""
    printed = document(Program(Service(name="alone", categories=(ACCOUNT,))))

    assert (printed["channels"], printed["operations"]) == ({}, {})
