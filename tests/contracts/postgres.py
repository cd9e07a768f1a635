"""PostgreSQL for the contract suites of events."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from application.catalogue import Catalogue
from infrastructure import postgres
from tests.contracts.stores import Stores
from tests.sample.service import SAMPLE
from tests.servers import empty_schema


@asynccontextmanager
async def on_postgres(uri: str, catalogue: Catalogue = SAMPLE.catalogue) -> AsyncIterator[Stores]:
    async with (
        postgres.durable_pool(uri) as pool,
        postgres.pool(uri) as relaxed,
        postgres.wake_up(uri) as wake_up,
    ):
        await postgres.migrate(pool)
        horizon = postgres.Horizon(pool)
        subscriptions = postgres.Subscriptions(pool, wake_up, horizon, catalogue)
        yield Stores(
            postgres.EventStore(pool, catalogue),
            subscriptions,
            postgres.ConsumerGroups(relaxed, wake_up, catalogue),
            subscriptions,
            postgres.EventBrowser(relaxed, horizon, catalogue),
            lambda look: postgres.EventBrowser(relaxed, horizon, catalogue, look=look),
        )


def on_the_schema(
    request: pytest.FixtureRequest, catalogue: Catalogue
) -> AbstractAsyncContextManager[Stores]:
    """In the schema of all tests."""
    return on_postgres(request.getfixturevalue("postgres_with_events"), catalogue)


@pytest.fixture(scope="session")
def postgres_with_events(postgres_for_all: str) -> Iterator[str]:
    """The address of a schema for events, one for all tests."""
    with empty_schema(postgres_for_all) as uri:
        yield uri
