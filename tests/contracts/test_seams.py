"""The table of seams, the first page of the ports, names every port, its adapters, its contract."""

import re
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Final, Protocol

import pytest

from application import ports
from infrastructure import (
    dynamodb,
    eventstoredb,
    filesystem,
    kafka,
    memory,
    opensearch,
    postgres,
    s3,
)
from tests.contracts.guarantees import suites

PLACES: Final[Mapping[str, ModuleType]] = {
    "Kafka": kafka,
    "memory": memory,
    "EventStoreDB": eventstoredb,
    "PostgreSQL": postgres,
    "DynamoDB": dynamodb,
    "OpenSearch": opensearch,
    "directory": filesystem,
    "S3": s3,
}
READ: Final = {"Lookup", "Finding", "Searching", "Summing", "WritableViews"}  # one class does all
NAMES: Final = {
    **dict.fromkeys(READ, "Views"),
    "StoreFacts": "Subscriptions",
    "SweepablePayloads": "PayloadStore",
}
"""What an adapter is called where its class fulfils several ports."""


def table() -> Mapping[str, Sequence[str]]:
    """Each port, and where there is an adapter of it."""
    rows = re.findall(r"^ {4}([A-Z]\w+) {2,}.*? {2,}(\S.*)$", ports.__doc__ or "", re.MULTILINE)
    return {port: places.split(", ") for port, places in rows}


def test_every_port_has_a_row() -> None:
    """The table names all protocols of the package that an adapter fulfils, and nothing else."""
    protocols = {
        name
        for name in ports.__all__
        if isinstance(port := getattr(ports, name), type) and Protocol in port.__bases__
    }

    handed_out = {"Delivery", "Arrivals", "Arrival", "Publisher"}  # by other ports
    assert set(table()) == protocols - handed_out


@pytest.mark.parametrize("port", table())
def test_every_adapter_is_where_the_table_says(port: str) -> None:
    """A package that the table names exports the adapter, with all methods of the port."""
    methods = {name for name in dir(getattr(ports, port)) if not name.startswith("_")}
    found = {
        place: {name for name in methods if hasattr(adapter, name)} == methods
        for place, package in PLACES.items()
        if (adapter := getattr(package, NAMES.get(port, port), None))
    }

    assert found == dict.fromkeys(table()[port], True)


@pytest.mark.parametrize("port", table())
def test_every_port_has_a_contract(port: str) -> None:
    """A suite in this folder says that it is the contract of the port."""
    assert any(f"`{port}`" in suite.title for suite in suites())
