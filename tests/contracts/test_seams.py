"""The table of seams, the first page of the ports, names every port, its adapters, its contract."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Final, Protocol

import pytest

from application import ports
from infrastructure import (
    algolia,  # only: algolia
    dynamodb,  # only: dynamodb
    eventstoredb,  # only: eventstoredb
    filesystem,
    kafka,  # only: kafka
    memory,
    opensearch,  # only: opensearch
    postgres,  # only: postgres
    s3,  # only: s3
)
from infrastructure.temporal import copies as temporal  # only: temporal
from tests.contracts.guarantees import suites

PLACES: Final[Mapping[str, ModuleType]] = {
    "Kafka": kafka,  # only: kafka
    "memory": memory,
    "EventStoreDB": eventstoredb,  # only: eventstoredb
    "PostgreSQL": postgres,  # only: postgres
    "DynamoDB": dynamodb,  # only: dynamodb
    "OpenSearch": opensearch,  # only: opensearch
    "Algolia": algolia,  # only: algolia
    "directory": filesystem,
    "S3": s3,  # only: s3
    "Temporal": temporal,  # only: temporal
}
READ: Final = {"Lookup", "Finding", "Searching", "Summing", "WritableViews"}  # one class does all
NAMES: Final = {
    **dict.fromkeys(READ, "Views"),
    "StoreFacts": "Subscriptions",
    "SweepablePayloads": "PayloadStore",
}
"""What an adapter is called where its class fulfils several ports."""

REFUSED: Final[frozenset[tuple[str, str]]] = frozenset(
    [
        # where that class finds nothing by words, and writes nothing: `CheckpointAfter` does
        ("DynamoDB", "Searching"),  # only: dynamodb_views
        ("DynamoDB", "WritableViews"),  # only: dynamodb_views
    ]
)


_PAGE: Final = Path(ports.__file__).read_text()


def places_of_ports() -> Mapping[str, Sequence[str]]:
    """Each port, and where there is an adapter of it."""
    table, adapters = _PAGE.split("# Where there are adapters")
    places = {port: ["memory"] for port in re.findall(r"^#   ([A-Z]\w+) ", table, re.MULTILINE)}
    for place, named in re.findall(r"^#   (\w+) {2,}([\w, ]+)", adapters, re.MULTILINE):
        for port in re.findall(r"\w+", named):
            places[port].append(place)
    return places


def test_every_port_has_a_row() -> None:
    """The table names all protocols of the package that an adapter fulfils, and nothing else."""
    protocols = {
        name
        for name in ports.__all__
        if isinstance(port := getattr(ports, name), type) and Protocol in port.__bases__
    }

    handed_out = {"Delivery", "Arrivals", "Arrival", "Publisher"}  # by other ports
    assert set(places_of_ports()) == protocols - handed_out


@pytest.mark.parametrize("port", places_of_ports())
def test_every_adapter_is_where_the_table_says(port: str) -> None:
    """A package that the table names exports the adapter, with all methods of the port."""
    methods = {name for name in dir(getattr(ports, port)) if not name.startswith("_")}
    found = {
        place: {name for name in methods if hasattr(adapter, name)} == methods
        for place, package in PLACES.items()
        if (adapter := getattr(package, NAMES.get(port, port), None))
        and (place, port) not in REFUSED
    }

    assert found == dict.fromkeys(places_of_ports()[port], True)


@pytest.mark.parametrize("port", places_of_ports())
def test_every_port_has_a_contract(port: str) -> None:
    """A suite in this folder says that it is the contract of the port."""
    assert any(f"`{port}`" in suite.title for suite in suites())
