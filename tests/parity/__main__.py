"""Print the page: ``python -m tests.parity > docs/parity.md``."""

import asyncio

from embedded_eventstoredb import NodeProcess
from tests.dynamodb.opened import new_tables
from tests.parity.page import page
from tests.parity.stores import every_store
from tests.servers import DYNAMODB, available, empty_schema, postgres_server


async def _printed(node: str, postgres: str, dynamodb: tuple[str, str]) -> str:
    async with every_store(node, postgres, dynamodb) as stores:
        return await page(stores)


with (
    NodeProcess() as node,
    postgres_server() as server,
    empty_schema(server) as postgres,
    available(DYNAMODB) as dynamodb,
):
    print(asyncio.run(_printed(node.uri, postgres, (dynamodb, new_tables(dynamodb)))), end="")
