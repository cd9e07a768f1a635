"""What the contract suites run on: each adapter of a port, its name says double or real."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from application.catalogue import Catalogue
from application.ports import SweepablePayloads
from infrastructure import filesystem, memory
from infrastructure.providers.simulated.process import SimulatedProviders
from tests.contracts import (
    dynamodb,  # only: dynamodb_views
    dynamodb_events,  # only: dynamodb_events
    eventstoredb,  # only: eventstoredb
    postgres,  # only: postgres_events
)
from tests.contracts.stores import Opens, Stores, stores_in_memory
from tests.payload_stores import payloads_on  # only: s3
from tests.sample.service import SAMPLE
from tests.servers import S3  # only: s3

# fixtures of the stores
dynamodb_with_events = dynamodb_events.dynamodb_with_events  # only: dynamodb_events
dynamodb_with_views = dynamodb.dynamodb_with_views  # only: dynamodb_views
postgres_with_events = postgres.postgres_with_events  # only: postgres_events
real_eventstoredb = eventstoredb.real_eventstoredb  # only: eventstoredb


@asynccontextmanager
async def _in_memory(_: pytest.FixtureRequest, catalogue: Catalogue) -> AsyncIterator[Stores]:
    yield stores_in_memory(catalogue)


_STORES: Final[Mapping[str, Opens]] = {
    "memory": _in_memory,
    "eventstoredb-embedded (double)": eventstoredb.on_the_node,  # only: eventstoredb and embedded
    "eventstoredb (real)": eventstoredb.on_the_server,  # only: eventstoredb
    "postgres (real)": postgres.on_the_schema,  # only: postgres_events
    "dynamodb (double)": dynamodb_events.on_the_tables,  # only: dynamodb_events
}


@pytest.fixture
def catalogue() -> Catalogue:
    """How the events of the stores are read."""
    return SAMPLE.catalogue


@pytest.fixture(params=_STORES)
async def stores(request: pytest.FixtureRequest, catalogue: Catalogue) -> AsyncIterator[Stores]:
    """Others' events may be in there: a test follows types and streams of its own."""
    async with _STORES[request.param](request, catalogue) as stores:
        yield stores


@pytest.fixture(
    params=[
        "memory",
        "directory",
        "s3 (real)",  # only: s3
    ]
)
def payloads(request: pytest.FixtureRequest, tmp_path: Path) -> SweepablePayloads:
    match request.param:
        case "memory":
            return memory.PayloadStore()
        case "directory":
            return filesystem.PayloadStore(tmp_path / "payloads")
        # only: s3
        case "s3 (real)":
            server: S3 = request.getfixturevalue("s3")
            return payloads_on(server, server.bucket())
        # end: s3
    raise AssertionError(request.param)


@pytest.fixture(scope="session")
def simulated_at() -> Iterator[Callable[[str], SimulatedProviders]]:
    """One process for all tests, of the providers at a ``module:NAME``: use fresh keys."""
    with ExitStack() as stack:
        yield cache(lambda place: stack.enter_context(SimulatedProviders(place)))
