"""What an inline read model costs an append: the same commands, with and without it.

    python -m tests.shop.benchmarks.inline_views

Deliveries of goods to many SKUs, each command remembered as in the service; ``stock_levels`` has
one view for each SKU. PostgreSQL is real, and every commit is on disk.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median
from typing import Any, Final
from uuid import uuid4

from application.command_dispatch import CommandDispatch
from application.messages import Context
from application.projections.projection import Projection
from application.shop.read_models.stock_levels import stock_levels
from application.shop.service import SHOP
from domain.stock import ReceiveStock
from infrastructure import postgres
from tests.projection_specification import at
from tests.servers import empty_schema, postgres_server

ROUNDS: Final = 3
SKUS: Final = 500
INLINE: Final = replace(stock_levels, consistency="inline")


def main() -> None:
    """Measure and print; takes about half a minute."""
    print(f"{'commands/s':24}{'without':>10}{'inline':>10}{'ratio':>8}")
    with postgres_server() as server:
        for clients, count in ((1, 600), (64, 6_400)):
            pairs = [
                (rate(server, [], clients, count), rate(server, [INLINE], clients, count))
                for _ in range(ROUNDS)
            ]
            without, inline = (max(side) for side in zip(*pairs, strict=True))
            ratio = median(with_it / bare for bare, with_it in pairs)
            name = f"{clients} client{'s' * (clients > 1)}"
            print(f"{name:24}{without:10,.0f}{inline:10,.0f}{ratio:8.2f}")


def rate(server: str, inline: Sequence[Projection[Any]], clients: int, count: int) -> float:
    """Commands a second, in tables of their own."""
    with empty_schema(server) as uri:
        return count / asyncio.run(seconds(uri, inline, clients, count))


async def seconds(uri: str, inline: Sequence[Projection[Any]], clients: int, count: int) -> float:
    """How long they take, once every stream is there and remembered."""
    async with postgres.pool(uri) as views, postgres.durable_pool(uri) as pool:
        await postgres.migrate(views)
        await postgres.Builds(views).register([INLINE])
        commits = postgres.GroupCommit(pool, postgres.InlineCommit(inline, None, SHOP.catalogue))
        dispatch = CommandDispatch(
            postgres.EventStore(pool, SHOP.catalogue, commits), SHOP.catalogue, remember=SKUS
        )

        async def send(numbers: Iterator[int]) -> None:
            for number in numbers:
                wish = ReceiveStock(receipt_id=f"r-{number}", quantity=1)
                context = Context.start("a benchmark", uuid4(), at(0))
                await dispatch(f"sku-{number % SKUS}", wish, context)

        await send(iter(range(SKUS)))
        numbers = iter(range(SKUS, SKUS + count))
        began = time.perf_counter()
        await asyncio.gather(*(send(numbers) for _ in range(clients)))
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
