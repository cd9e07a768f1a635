"""What every test may ask for: servers that run for the tests alone."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, get_args

import pytest

from embedded_eventstoredb import NodeProcess
from infrastructure.settings import EventStore
from tests.servers import (
    DYNAMODB,
    KAFKA,
    OPENSEARCH,
    PROMETHEUS,
    S3,
    S3_SERVER,
    TEMPORAL,
    available,
    empty_schema,
    postgres_server,
)

_STARTED: Final = {"dynamodb", "kafka", "opensearch", "prometheus", "s3", "temporal"}
_SERVERS: Final = {"node", "fresh_node", "postgres_for_all", *_STARTED}
_ON_A_SERVER: Final = re.compile(  # how adapters are called
    "postgres|eventstoredb|dynamodb|http|kafka|opensearch|s3|temporal|algolia"
)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """What needs a server is slow: ``make fast`` leaves it out."""
    for item in items:
        if _needs_a_server(item):
            item.add_marker(pytest.mark.slow)


def _needs_a_server(item: pytest.Item) -> bool:
    chosen = getattr(item, "callspec", None)
    adapters = [one for one in chosen.params.values() if isinstance(one, str)] if chosen else []
    return not _SERVERS.isdisjoint(getattr(item, "fixturenames", ())) or any(
        map(_ON_A_SERVER.match, adapters)
    )


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


@pytest.fixture(scope="session")
def dynamodb() -> Iterator[str]:
    """The address of a DynamoDB, one for all tests: use fresh tables; ``DYNAMODB_URI`` names
    another."""
    with available(DYNAMODB) as uri:
        yield uri


@pytest.fixture(scope="session")
def prometheus() -> Iterator[str]:
    """The address of a Prometheus that has loaded the alerts, one for all tests."""
    with available(PROMETHEUS) as url:
        yield url


@pytest.fixture(scope="session")
def temporal() -> Iterator[str]:
    """The address of a Temporal server, one for all tests: use fresh task queues."""
    with available(TEMPORAL) as address:
        yield address


@pytest.fixture
def postgres(postgres_for_all: str) -> Iterator[str]:
    """The address of an empty corner of that server, for one test."""
    with empty_schema(postgres_for_all) as uri:
        yield uri


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The address of a Kafka broker, one for all tests: use fresh topics and groups."""
    with available(KAFKA) as address:
        yield address


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """A server that speaks S3, one for all tests: use a fresh ``bucket()``."""
    with available(S3_SERVER) as endpoint:
        yield S3.at(endpoint)


@pytest.fixture(scope="session")
def opensearch() -> Iterator[str]:
    """The address of an OpenSearch node, one for all tests: use fresh indexes."""
    with available(OPENSEARCH) as url:
        yield url


@pytest.fixture(params=get_args(EventStore), scope="module")
def event_store(request: pytest.FixtureRequest) -> EventStore:
    """The name of each event store, as ``HEADWATER_EVENT_STORE`` has it."""
    name: EventStore = request.param
    return name


@pytest.fixture
def servers(event_store: EventStore, request: pytest.FixtureRequest) -> Mapping[str, str]:
    """The settings that lead to empty servers for its events and for read models."""
    postgres: str = request.getfixturevalue("postgres")
    if event_store == "postgres":
        return {"HEADWATER_EVENT_STORE": event_store, "HEADWATER_POSTGRES_URI": postgres}
    node: NodeProcess = request.getfixturevalue("fresh_node")
    return {"HEADWATER_EVENTSTOREDB_URI": node.uri, "HEADWATER_POSTGRES_URI": postgres}
