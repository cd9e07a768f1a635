"""A leader without its quorum lets writes time out, and has them when the others are back."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest

from application.ports import NO_STREAM, StoreUnavailable
from embedded_eventstoredb import NodeProcess
from infrastructure import eventstoredb
from infrastructure.eventstoredb import Client, EventStore
from tests.contracts.made_up import all_of, event, name
from tests.sample.service import SAMPLE
from tests.waiting import PATIENCE, until_true

ELECTION = 0.3  # seconds; a leader alone times out after twice that, and notices after three times


@pytest.fixture
def cluster() -> Iterator[NodeProcess]:
    with NodeProcess(cluster=True, follower_lag=0.05, election_time=ELECTION) as node:
        node.leader()
        yield node


@pytest.fixture
async def client(cluster: NodeProcess) -> AsyncIterator[Client]:
    client = await eventstoredb.connect(cluster.uri)
    yield client
    await client.close()


@asynccontextmanager
async def leader_alone(cluster: NodeProcess) -> AsyncIterator[None]:
    """Without its followers, as long as the block lasts."""
    followers = set(cluster.targets) - {await asyncio.to_thread(cluster.leader)}
    for follower in followers:
        await asyncio.to_thread(cluster.take_down, follower)
    try:
        yield
    finally:
        for follower in followers:
            await asyncio.to_thread(cluster.bring_back, follower)


async def test_an_append_that_timed_out_is_there_once(cluster: NodeProcess, client: Client) -> None:
    """Its caller hears that it may be there; repeated, it is answered as the first time."""
    store, stream, new = EventStore(client, SAMPLE.catalogue), name(), event()
    await store.append(stream, [event()], NO_STREAM)
    async with leader_alone(cluster):
        with pytest.raises(StoreUnavailable, match="may be there"):
            await store.append(stream, [new], 0)

    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                appended = await store.append(stream, [new], 0)
            except StoreUnavailable:
                await asyncio.sleep(0.01)
            else:
                break
    assert appended.version == 1
    assert [one.id for one in await all_of(store.read(stream))][1:] == [new.id]


async def test_reads_alone_find_the_next_leader(cluster: NodeProcess, client: Client) -> None:
    """A process that only reads goes on after its leader has stepped down, and after it is lost."""
    store, stream = EventStore(client, SAMPLE.catalogue), name()
    await store.append(stream, [event()], NO_STREAM)
    for change in (cluster.step_down, None):
        leader = await asyncio.to_thread(cluster.leader)
        if change:
            change()
        else:
            await asyncio.to_thread(cluster.take_down, leader)
        async with asyncio.timeout(PATIENCE):
            while client.connection_target == leader:
                with suppress(StoreUnavailable):
                    assert len(await all_of(store.read(stream))) == 1
                await asyncio.sleep(0.01)


async def test_callers_share_the_search_for_a_leader(cluster: NodeProcess, client: Client) -> None:
    """While nobody leads, the twentieth caller hears it as soon as the first, in about a second."""
    store, stream = EventStore(client, SAMPLE.catalogue), name()
    await store.append(stream, [event()], NO_STREAM)

    async def refused() -> bool:
        try:
            await all_of(store.read(stream))
        except StoreUnavailable:
            return True
        return False

    async with leader_alone(cluster):
        await until_true(refused)
        began = time.monotonic()
        assert all(await asyncio.gather(*(refused() for _ in range(20))))
        assert time.monotonic() - began < 8, "one after the other they take twenty"


async def test_an_append_is_answered_when_the_quorum_is_back_in_time(
    cluster: NodeProcess, client: Client
) -> None:
    """A leader that was alone for a moment costs its callers that moment, and no error."""
    store, stream = EventStore(client, SAMPLE.catalogue), name()
    async with leader_alone(cluster), asyncio.timeout(PATIENCE):
        appending = asyncio.create_task(store.append(stream, [event()], NO_STREAM))
        await asyncio.sleep(ELECTION)
    assert (await appending).version == 0
