"""Clients of the embedded node, over a real socket."""

from collections.abc import AsyncIterator, Callable, Iterator
from uuid import uuid4

import grpc
import pytest
from esdbclient import AsyncEventStoreDBClient, EventStoreDBClient
from esdbclient.protos.Grpc import streams_pb2_grpc

from embedded_eventstoredb import NodeProcess
from projecting import Projecting


@pytest.fixture(scope="session")
def node() -> Iterator[NodeProcess]:
    """A node in memory, one for all tests: use fresh stream names."""
    with NodeProcess() as node:
        yield node


@pytest.fixture
def fresh_node() -> Iterator[NodeProcess]:
    """An empty node, for a test that looks at all of ``$all``."""
    with NodeProcess() as node:
        yield node


@pytest.fixture
async def client(node: NodeProcess) -> AsyncIterator[AsyncEventStoreDBClient]:
    """A client of the session's node."""
    client = AsyncEventStoreDBClient(node.uri)
    await client.connect()
    yield client
    await client.close()


@pytest.fixture
def sync_client(node: NodeProcess) -> Iterator[EventStoreDBClient]:
    """A synchronous client of the session's node, for plain tests."""
    with EventStoreDBClient(node.uri) as client:
        yield client


@pytest.fixture
async def fresh_client(eventstoredb_uri: str) -> AsyncIterator[AsyncEventStoreDBClient]:
    """A client of an empty node."""
    client = AsyncEventStoreDBClient(eventstoredb_uri)
    await client.connect()
    yield client
    await client.close()


@pytest.fixture
async def channel(node: NodeProcess) -> AsyncIterator[grpc.aio.Channel]:
    """A bare connection to the session's node, for what esdbclient does not send."""
    target = node.uri.removeprefix("esdb://").partition("?")[0]
    async with grpc.aio.insecure_channel(target) as channel:
        yield channel


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> streams_pb2_grpc.StreamsStub:
    return streams_pb2_grpc.StreamsStub(channel)  # type: ignore[no-untyped-call]  # generated


@pytest.fixture
def fresh() -> Callable[[str], str]:
    """Names that no other test uses."""
    return lambda prefix: f"{prefix}-{uuid4().hex}"


@pytest.fixture
def stream(fresh: Callable[[str], str]) -> str:
    return fresh("order")


@pytest.fixture
def group(fresh: Callable[[str], str]) -> str:
    """A consumer group that no other test uses."""
    return fresh("group")


@pytest.fixture
def projecting(
    sync_client: EventStoreDBClient, fresh: Callable[[str], str]
) -> Iterator[Projecting]:
    """Projections on the session's node; without an engine to run them, the test is skipped."""
    pytest.importorskip("quickjs")
    projecting = Projecting(sync_client, fresh)
    yield projecting
    projecting.end()
