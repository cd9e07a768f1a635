"""Every event store at once, each with the name of its column."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from tests.contracts.dynamodb_events import on_dynamodb
from tests.contracts.eventstoredb import on_eventstoredb
from tests.contracts.postgres import on_postgres
from tests.contracts.stores import Stores, stores_in_memory


@asynccontextmanager
async def every_store(
    node: str, postgres: str, dynamodb: tuple[str, str]
) -> AsyncIterator[Mapping[str, Stores]]:
    """On these servers; DynamoDB with the beginning of its tables' names."""
    async with AsyncExitStack() as stack:
        yield {
            "memory": stores_in_memory(),
            "EventStoreDB (double)": await stack.enter_async_context(on_eventstoredb(node)),
            "PostgreSQL (real)": await stack.enter_async_context(on_postgres(postgres)),
            "DynamoDB (double)": await stack.enter_async_context(on_dynamodb(*dynamodb)),
        }
