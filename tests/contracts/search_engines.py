"""The search engines on which contracts run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4  # only: opensearch

import pytest

from application.ports import SearchEngine
from infrastructure import (
    memory,
    opensearch,  # only: opensearch
)
from tests.algolia.opened import ALGOLIA, on_algolia  # only: algolia

OPENSEARCH = "opensearch (real)"  # only: opensearch
ENGINES = [
    "memory",
    OPENSEARCH,  # only: opensearch
    ALGOLIA,  # only: algolia
]


@asynccontextmanager
async def engine_of(request: pytest.FixtureRequest) -> AsyncIterator[SearchEngine]:
    """The search engine that the parameter of the fixture names."""
    match request.param:
        case "memory":
            yield memory.SearchEngine()
        # only: opensearch
        case one if one == OPENSEARCH:
            async with on_opensearch(request) as opensearch:
                yield opensearch
        # end: opensearch
        # only: algolia
        case one if one == ALGOLIA:
            async with on_algolia() as algolia:
                yield algolia
        # end: algolia


# only: opensearch
@asynccontextmanager
async def on_opensearch(request: pytest.FixtureRequest) -> AsyncIterator[opensearch.SearchEngine]:
    """On the server of all tests, with names of its own, which are removed in the end."""
    uri, prefix = request.getfixturevalue("opensearch"), f"test-{uuid4().hex}"
    async with opensearch.server(uri) as server:
        try:
            yield opensearch.SearchEngine(server, prefix, owner=7)
        finally:
            await server.ask(
                lambda client: client.indices.delete(
                    index=f"{prefix}-*", params={"expand_wildcards": "all"}
                )
            )


# end: opensearch
