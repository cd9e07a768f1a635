"""What every test may ask for: servers that run for the tests alone."""

from collections.abc import (
    AsyncIterator,  # only: console
    Iterator,
    Mapping,
    Sequence,
)
from typing import (
    TYPE_CHECKING,  # only: console
    Final,
)

import pytest
import pytest_asyncio  # only: console

from embedded_eventstoredb import NodeProcess  # only: eventstoredb and embedded
from infrastructure.dynamodb.tables import EVENT_TABLES, READ_TABLES  # only: dynamodb_views
from infrastructure.settings import EventStore, Settings
from tests.dynamodb.opened import empty_tables  # only: dynamodb
from tests.servers import (
    ALERTMANAGER,
    DYNAMODB,  # only: dynamodb
    KAFKA,  # only: kafka
    OIDC,
    OPENSEARCH,  # only: opensearch
    PROMETHEUS,
    S3,  # only: s3
    S3_SERVER,  # only: s3
    TEMPORAL,  # only: temporal
    available,
    empty_schema,  # only: postgres
    postgres_server,  # only: postgres
)
from tests.stores import USUAL

# only: console
if TYPE_CHECKING:  # most runs open no page
    from playwright.async_api import Browser

    from tests.browser.visiting import Visits

# end: console
_NEIGHBOURS: Final = {
    # fixtures of servers
    "dynamodb",  # only: dynamodb
    "kafka",  # only: kafka
    "opensearch",  # only: opensearch
    "s3",  # only: s3
    "temporal",  # only: temporal
    "node",  # only: eventstoredb and embedded
    "fresh_node",  # only: eventstoredb and embedded
    "postgres_for_all",  # only: postgres
    "http",
}
_WATCHING: Final = {"alertmanager", "oidc", "prometheus"}
_SERVERS: Final = {*_NEIGHBOURS, *_WATCHING, "browser"}
_ADAPTERS: Final = (
    # how those are called that need a server
    "http",
    "eventstoredb",  # only: eventstoredb
    "postgres",  # only: postgres
    "dynamodb",  # only: dynamodb
    "kafka",  # only: kafka
    "opensearch",  # only: opensearch
    "algolia",  # only: algolia
    "s3",  # only: s3
    "temporal",  # only: temporal
)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """What needs a server is slow: ``make fast`` leaves it out.

    All tests of pages share the event loop to which the browser belongs.
    """
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
        if _needs_a_server(item):
            item.add_marker(pytest.mark.slow)


def _needs_a_server(item: pytest.Item) -> bool:
    chosen = getattr(item, "callspec", None)
    adapters = [one for one in chosen.params.values() if isinstance(one, str)] if chosen else []
    return not _SERVERS.isdisjoint(getattr(item, "fixturenames", ())) or any(
        adapter.startswith(_ADAPTERS) for adapter in adapters
    )


# only: eventstoredb and embedded
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


# end: eventstoredb and embedded
# only: postgres
@pytest.fixture(scope="session")
def postgres_for_all() -> Iterator[str]:
    """The address of a PostgreSQL server, one for all tests; ``POSTGRES_URI`` names another."""
    with postgres_server() as uri:
        yield uri


# end: postgres
# only: dynamodb
@pytest.fixture(scope="session")
def dynamodb() -> Iterator[str]:
    """The address of a DynamoDB, one for all tests: use fresh tables; ``DYNAMODB_URI`` names
    another."""
    with available(DYNAMODB) as uri:
        yield uri


# end: dynamodb
@pytest.fixture(scope="session")
def prometheus() -> Iterator[str]:
    """The address of a Prometheus that has loaded the alerts, one for all tests."""
    with available(PROMETHEUS) as url:
        yield url


@pytest.fixture(scope="session")
def alertmanager() -> Iterator[str]:
    """The address of an Alertmanager that calls no one, one for all tests."""
    with available(ALERTMANAGER) as url:
        yield url


@pytest.fixture(scope="session")
def oidc() -> Iterator[str]:
    """The issuer of an identity provider, one for all tests."""
    with available(OIDC) as issuer:
        yield issuer


# only: temporal
@pytest.fixture(scope="session")
def temporal() -> Iterator[str]:
    """The address of a Temporal server, one for all tests: use fresh task queues."""
    with available(TEMPORAL) as address:
        yield address


# end: temporal
# only: console
@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator["Browser"]:
    """A browser, one for all tests: each ``visit`` has a context of its own."""
    from tests.browser.chromium import launched

    async with launched() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: "Browser") -> AsyncIterator["Visits"]:
    """Opens pages; whatever goes wrong in one of them makes the test fail."""
    from tests.browser.visiting import visiting

    async with visiting(browser) as visits:
        yield visits


# end: console
# only: postgres
@pytest.fixture
def postgres(postgres_for_all: str) -> Iterator[str]:
    """The address of an empty corner of that server, for one test."""
    with empty_schema(postgres_for_all) as uri:
        yield uri


# end: postgres
# only: kafka
@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The address of a Kafka broker, one for all tests: use fresh topics and groups."""
    with available(KAFKA) as address:
        yield address


# end: kafka
# only: s3
@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """A server that speaks S3, one for all tests: use a fresh ``bucket()``."""
    with available(S3_SERVER) as endpoint:
        yield S3.at(endpoint)


# end: s3
# only: opensearch
@pytest.fixture(scope="session")
def opensearch() -> Iterator[str]:
    """The address of an OpenSearch node, one for all tests: use fresh indexes."""
    with available(OPENSEARCH) as url:
        yield url


# end: opensearch
@pytest.fixture(params=USUAL, scope="module")
def event_store(request: pytest.FixtureRequest) -> EventStore:
    """The name of an event store, as ``HEADWATER_EVENT_STORE`` has it: each that starts with the
    service, unless the test chooses others."""
    name: EventStore = request.param
    return name


@pytest.fixture
def stored(
    event_store: EventStore,
    request: pytest.FixtureRequest,  # only: dynamodb_events
) -> Mapping[str, str]:
    """The settings that lead to an empty store of events, if it does not start with the service."""
    chosen: dict[str, str] = {"HEADWATER_EVENT_STORE": event_store}
    # only: dynamodb_events
    if event_store == "dynamodb":
        chosen |= empty_tables(request.getfixturevalue("dynamodb"))
    # end: dynamodb_events
    return chosen


@pytest.fixture
def servers(stored: Mapping[str, str], request: pytest.FixtureRequest) -> Mapping[str, str]:
    """The settings that lead to empty servers for its events and for read models."""
    found = {**stored}
    # only: eventstoredb and embedded
    if stored["HEADWATER_EVENT_STORE"] == "eventstoredb":
        found["HEADWATER_EVENTSTOREDB_URI"] = request.getfixturevalue("fresh_node").uri
    # end: eventstoredb and embedded
    views = Settings.model_fields["read_models"].default
    # only: postgres
    if views == "postgres":
        found["HEADWATER_POSTGRES_URI"] = request.getfixturevalue("postgres")
    # end: postgres
    # only: dynamodb_views
    if views == "dynamodb":
        found |= empty_tables(request.getfixturevalue("dynamodb"), EVENT_TABLES + READ_TABLES)
    # end: dynamodb_views
    return found
