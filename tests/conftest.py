"""What every test may ask for: servers that run for the tests alone."""

from collections.abc import Iterator

import pytest

from infrastructure.embedded.eventstoredb.process import NodeProcess
from tests.servers import empty_schema, postgres_server


@pytest.fixture(scope="session")
def node() -> Iterator[NodeProcess]:
    """An embedded EventStoreDB node in memory, one for all tests: use fresh stream names."""
    with NodeProcess() as node:
        yield node


@pytest.fixture
def fresh_node() -> Iterator[NodeProcess]:
    """An empty node, for a test that looks at all of ``$all``."""
    with NodeProcess() as node:
        yield node


@pytest.fixture(scope="session")
def postgres_for_all() -> Iterator[str]:
    """The address of a PostgreSQL server, one for all tests; ``POSTGRES_URI`` names another."""
    with postgres_server() as uri:
        yield uri


@pytest.fixture
def postgres(postgres_for_all: str) -> Iterator[str]:
    """The address of an empty corner of that server, for one test."""
    with empty_schema(postgres_for_all) as uri:
        yield uri
