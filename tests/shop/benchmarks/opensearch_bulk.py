"""Products written to OpenSearch beside the bare client's bulk, on one server (real).

    python -m tests.shop.benchmarks.opensearch_bulk

The bare client sends the same documents, made before, to an index with the same mapping, with
external versions, and refreshes as often. It makes no words of texts and no documents of views, and
looks at no answer: it does what every program has to do that writes there.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from statistics import median
from typing import Any, Final
from uuid import uuid4

from opensearchpy import AsyncOpenSearch

from application.command_dispatch import CommandDispatch
from application.ports import Changed, Seen
from application.projections.builds import Build
from application.shop.importing import import_history
from application.shop.read_models.product_search import Product, product_search
from application.shop.service import SHOP
from infrastructure import memory
from infrastructure.opensearch import SearchEngine, server
from infrastructure.opensearch.documents import MAPPING, Documents
from infrastructure.shop.online_retail import SAMPLE, History
from tests.servers import OPENSEARCH, NotHere
from tests.servers.kept import kept
from tests.servers.starting import started
from tests.shop.sales_figures import fill

BATCH: Final = 1_000  # as the runner of a projection
BATCHES: Final = 8
ROUNDS: Final = 15
BUILD: Final = Build(product_search.name, product_search.version)


def main() -> None:
    """Measure and print."""
    if address := kept(OPENSEARCH):
        asyncio.run(measure(address))
        return
    try:
        with started(OPENSEARCH) as running:
            asyncio.run(measure(running.address))
    except NotHere as missing:
        print(f"Not measured: OpenSearch {missing}")


async def measure(address: str) -> None:
    views = await products()
    documents = prepared(views)
    prefix = f"bench-{uuid4().hex}"
    async with server(address) as opened, AsyncOpenSearch(address) as client:
        index = SearchEngine(opened, prefix, owner=7).index(product_search, BUILD)
        bare = f"{prefix}-bare"
        try:
            turns = []
            for _ in range(ROUNDS + 1):  # the first warms up
                await index.prepare()
                await index.clear()
                await remade(client, bare)
                turns.append(
                    (
                        await seconds(lambda: written(index.write, views)),
                        await seconds(lambda: sent(client, bare, documents)),
                    )
                )
        finally:
            await client.indices.delete(index=f"{prefix}-*", params={"expand_wildcards": "all"})
    show(turns[1:])


def show(turns: Sequence[tuple[float, float]]) -> None:
    count = BATCH * BATCHES
    here, there = (count / median(side) for side in zip(*turns, strict=True))
    ratio = median(bare / ours for ours, bare in turns)
    print(f"{'':40}{'here':>12}{'bare':>12}{'ratio':>8}{'aim':>8}")
    print(f"{'products a second':40}{here:12,.0f}{there:12,.0f}{ratio:8.2f}{'≥ 0.70':>8}")


async def products() -> Sequence[Changed[Product]]:
    """Batches of the products of the sample, each under several names."""
    store, builds = memory.EventStore(SHOP.catalogue), memory.Builds()
    await builds.register([product_search])
    models = memory.ReadModels([product_search], builds)
    await import_history(History(SAMPLE), CommandDispatch(store, SHOP.catalogue))
    await fill(product_search, models, memory.Subscriptions(store))
    found = await (await models.live(product_search)).search("", limit=BATCH)
    return [
        {f"{key}-{number}": Seen(seen.view, seen.position) for key, seen in found}
        for number in range(BATCHES)
    ]


async def remade(client: AsyncOpenSearch, index: str) -> None:
    """An empty index as ours are."""
    await client.indices.delete(index=index, params={"ignore_unavailable": "true"})
    settings: Mapping[str, Any] = {"number_of_shards": 1, "refresh_interval": "-1"}
    body = {"settings": {**settings, "auto_expand_replicas": "0-1"}, "mappings": dict(MAPPING)}
    await client.indices.create(index=index, body=body)


async def written(
    write: Callable[[Changed[Product]], Awaitable[None]], batches: Sequence[Changed[Product]]
) -> None:
    for batch in batches:
        await write(batch)


def prepared(batches: Sequence[Changed[Product]]) -> Sequence[Sequence[Any]]:
    """The same documents, as the client takes them."""
    documents = Documents(Product, product_search)
    return [
        [json.loads(line) for pair in documents.lines(batch) for line in pair.splitlines()]
        for batch in batches
    ]


async def sent(client: AsyncOpenSearch, index: str, batches: Sequence[Sequence[Any]]) -> None:
    for lines in batches:
        await client.bulk(body=lines, index=index, params={"refresh": "true"}, request_timeout=60)


async def seconds(work: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
