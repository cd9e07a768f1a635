"""What the contract suites run on: each adapter of a port, its name says double or real."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import docker  # type: ignore[import-untyped]  # docker ships no types
import pytest
from docker.errors import DockerException  # type: ignore[import-untyped]  # as above

from application.catalogue import Catalogue
from application.ports import (
    ConsumerGroups,
    EventStore,
    StoreFacts,
    Subscriptions,
    SweepablePayloads,
)
from infrastructure import dynamodb, eventstoredb, filesystem, memory, postgres
from infrastructure.providers.simulated.process import SimulatedProviders
from tests.contracts.eventstoredb_container import EventStoreDBContainer
from tests.dynamodb.opened import database, fresh_prefix
from tests.payload_stores import payloads_on
from tests.sample.service import SAMPLE
from tests.servers import S3, empty_schema


@dataclass(frozen=True)
class Stores:
    """The ports of one event store."""

    events: EventStore
    subscriptions: Subscriptions
    groups: ConsumerGroups
    facts: StoreFacts


def _why_not_real() -> str | None:
    if "EVENTSTOREDB_URI" in os.environ:
        return None
    try:
        docker.from_env(timeout=5).ping()
    except DockerException:
        return "no Docker on this machine"
    return None


_WHY_NOT_REAL = _why_not_real()  # asked once, when tests are collected


REAL = pytest.param(
    "eventstoredb (real)",
    marks=pytest.mark.skip(reason=_WHY_NOT_REAL) if _WHY_NOT_REAL else (),
)


@pytest.fixture
def catalogue() -> Catalogue:
    """How the events of the stores are read."""
    return SAMPLE.catalogue


@pytest.fixture(
    params=[
        *("memory", "eventstoredb-embedded (double)", REAL, "postgres (real)"),
        "dynamodb (double)",
    ]
)
async def stores(request: pytest.FixtureRequest, catalogue: Catalogue) -> AsyncIterator[Stores]:
    """Others' events may be in there: a test follows types and streams of its own."""
    match request.param:
        case "memory":
            yield stores_in_memory(catalogue)
        case "eventstoredb-embedded (double)":
            async with on_eventstoredb(request.getfixturevalue("node").uri, catalogue) as stores:
                yield stores
        case "eventstoredb (real)":
            uri = request.getfixturevalue("real_eventstoredb")
            async with on_eventstoredb(uri, catalogue) as stores:
                yield stores
        case "postgres (real)":
            uri = request.getfixturevalue("postgres_with_events")
            async with on_postgres(uri, catalogue) as stores:
                yield stores
        case "dynamodb (double)":
            uri, prefix = request.getfixturevalue("dynamodb_with_events")
            async with on_dynamodb(uri, prefix, catalogue) as stores:
                yield stores


def stores_in_memory(catalogue: Catalogue = SAMPLE.catalogue) -> Stores:
    store = memory.EventStore(catalogue)
    subscriptions = memory.Subscriptions(store)
    return Stores(store, subscriptions, memory.ConsumerGroups(store), subscriptions)


@asynccontextmanager
async def on_postgres(uri: str, catalogue: Catalogue = SAMPLE.catalogue) -> AsyncIterator[Stores]:
    async with (
        postgres.durable_pool(uri) as pool,
        postgres.pool(uri) as relaxed,
        postgres.wake_up(uri) as wake_up,
    ):
        await postgres.migrate(pool)
        subscriptions = postgres.Subscriptions(pool, wake_up, postgres.Horizon(pool), catalogue)
        yield Stores(
            postgres.EventStore(pool, catalogue),
            subscriptions,
            postgres.ConsumerGroups(relaxed, wake_up, catalogue),
            subscriptions,
        )


@asynccontextmanager
async def on_dynamodb(
    uri: str, prefix: str, catalogue: Catalogue = SAMPLE.catalogue
) -> AsyncIterator[Stores]:
    async with database(uri, prefix=prefix) as db:
        await dynamodb.make(db, dynamodb.EVENT_TABLES)
        yield stores_in(db, catalogue)


def stores_in(db: dynamodb.Database, catalogue: Catalogue = SAMPLE.catalogue) -> Stores:
    log, streams = dynamodb.Log(db), dynamodb.Streams(db)
    commits = dynamodb.GroupCommit(db, log, streams)
    subscriptions = dynamodb.Subscriptions(log, streams, catalogue)
    return Stores(
        dynamodb.EventStore(streams, commits, catalogue),
        subscriptions,
        dynamodb.ConsumerGroups(db, log, streams, catalogue),
        subscriptions,
    )


@pytest.fixture(scope="session")
def dynamodb_with_events(dynamodb: str) -> tuple[str, str]:
    """The address of a DynamoDB, and the beginning of the names of its tables of events, one for
    all tests."""
    return dynamodb, fresh_prefix()


@pytest.fixture(scope="session")
def postgres_with_events(postgres_for_all: str) -> Iterator[str]:
    """The address of a schema for events, one for all tests."""
    with empty_schema(postgres_for_all) as uri:
        yield uri


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
        )
    finally:
        await client.close()


@pytest.fixture(scope="session")
def real_eventstoredb() -> Iterator[str]:
    """The address of a real server: the one in ``EVENTSTOREDB_URI``, or one in a container."""
    if uri := os.environ.get("EVENTSTOREDB_URI"):
        yield uri
        return
    with EventStoreDBContainer() as container:
        yield container.uri


@pytest.fixture(params=["memory", "directory", "s3 (real)"])
def payloads(request: pytest.FixtureRequest, tmp_path: Path) -> SweepablePayloads:
    match request.param:
        case "memory":
            return memory.PayloadStore()
        case "directory":
            return filesystem.PayloadStore(tmp_path / "payloads")
        case _:
            server: S3 = request.getfixturevalue("s3")
            return payloads_on(server, server.bucket())


@pytest.fixture(scope="session")
def simulated_at() -> Iterator[Callable[[str], SimulatedProviders]]:
    """One process for all tests, of the providers at a ``module:NAME``: use fresh keys."""
    with ExitStack() as stack:
        yield cache(lambda place: stack.enter_context(SimulatedProviders(place)))
