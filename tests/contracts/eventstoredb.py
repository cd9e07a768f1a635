"""EventStoreDB for the contract suites of events."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from application.catalogue import Catalogue
from infrastructure import eventstoredb
from tests.contracts.eventstoredb_container import EventStoreDBContainer
from tests.contracts.stores import Stores
from tests.sample.service import SAMPLE
from tests.servers.containers import no_docker


@asynccontextmanager
async def on_eventstoredb(
    uri: str, catalogue: Catalogue = SAMPLE.catalogue
) -> AsyncIterator[Stores]:
    client = await eventstoredb.connect(uri)
    try:
        subscriptions = eventstoredb.Subscriptions(client, catalogue)
        yield Stores(
            eventstoredb.EventStore(client, catalogue),
            subscriptions,
            eventstoredb.ConsumerGroups(client, catalogue),
            subscriptions,
            eventstoredb.EventBrowser(client, catalogue),
            lambda look: eventstoredb.EventBrowser(client, catalogue, look=look),
        )
    finally:
        await client.close()


# only: embedded
def on_the_node(
    request: pytest.FixtureRequest, catalogue: Catalogue
) -> AbstractAsyncContextManager[Stores]:
    """On the embedded node."""
    return on_eventstoredb(request.getfixturevalue("node").uri, catalogue)


# end: embedded
def on_the_server(
    request: pytest.FixtureRequest, catalogue: Catalogue
) -> AbstractAsyncContextManager[Stores]:
    """On a real server; skips without one."""
    return on_eventstoredb(request.getfixturevalue("real_eventstoredb"), catalogue)


@pytest.fixture(scope="session")
def real_eventstoredb() -> Iterator[str]:
    """The address of a real server: the one in ``EVENTSTOREDB_URI``, or one in a container."""
    if uri := os.environ.get("EVENTSTOREDB_URI"):
        yield uri
        return
    if reason := no_docker():
        pytest.skip(reason)
    with EventStoreDBContainer() as container:
        yield container.uri
