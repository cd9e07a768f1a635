"""A leader without its quorum lets writes time out, and has them when the others are back."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from application.ports import NO_STREAM, StoreUnavailable
from application.shop.service import SHOP
from embedded_eventstoredb import NodeProcess
from infrastructure import eventstoredb
from infrastructure.container import wired
from infrastructure.eventstoredb import Client, EventStore
from infrastructure.shop.program import PROGRAM
from tests.contracts.made_up import all_of, event, name
from tests.shop.infrastructure.shop import LINE, ORDER, Shop, shop_over
from tests.stores import NOWHERE, understood
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
    store, stream, new = EventStore(client, SHOP.catalogue), name(), event()
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
    store, stream = EventStore(client, SHOP.catalogue), name()
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
    store, stream = EventStore(client, SHOP.catalogue), name()
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
    store, stream = EventStore(client, SHOP.catalogue), name()
    async with leader_alone(cluster), asyncio.timeout(PATIENCE):
        appending = asyncio.create_task(store.append(stream, [event()], NO_STREAM))
        await asyncio.sleep(ELECTION)
    assert (await appending).version == 0


@pytest.fixture
async def shop(cluster: NodeProcess, postgres: str, tmp_path: Path) -> AsyncIterator[Shop]:
    servers = {
        "HEADWATER_EVENTSTOREDB_URI": cluster.uri,
        "HEADWATER_POSTGRES_URI": postgres,
        **NOWHERE,
    }
    async with shop_over(wired(PROGRAM, understood(servers, home=tmp_path))) as shop:
        yield shop


async def test_commands_that_timed_out_are_carried_out_once(
    cluster: NodeProcess, shop: Shop
) -> None:
    """503 to whoever commands a leader alone; with its key again, each is answered as the first
    time, and has led to one event, whether it is about a new stream or an old one."""
    old = await shop.post("/orders", ORDER, {"Idempotency-Key": "old"})
    keys = [{"Idempotency-Key": f"key-{number}"} for number in range(3)]
    wanted = [
        ("/orders", ORDER),
        (f"/stock/{LINE['sku']}/receipts", {"quantity": 5}),
        (f"{old.headers['Location']}/cancellation", {"reason": "too late"}),
    ]
    async with leader_alone(cluster):
        posts = [shop.post(*one, key) for one, key in zip(wanted, keys, strict=True)]
        refused = await asyncio.gather(*posts, *(shop.post(*wanted[0], keys[0]) for _ in range(3)))
        assert [answer.status_code for answer in refused] == [503] * 6
        assert all("Retry-After" in answer.headers for answer in refused)

    for _ in range(2):  # as the first time, time after time
        answers = [await insisted(shop, *one, key) for one, key in zip(wanted, keys, strict=True)]
        assert [answer.status_code for answer in answers] == [201, 201, 200]
        assert [answer.json()["version"] for answer in answers] == [0, 0, 1]
    placed, cancelled = answers[0].json()["id"], old.json()["id"]
    assert await shop.events(f"order-{placed}") == ["OrderPlaced"]
    assert await shop.events(f"stock-{LINE['sku']}") == ["StockReceived"]
    assert await shop.events(f"order-{cancelled}") == ["OrderPlaced", "OrderCancelled"]


async def insisted(
    shop: Shop, path: str, body: object, headers: Mapping[str, str]
) -> httpx.Response:
    """The answer to that command, repeated as long as it is refused for now."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await shop.post(path, body, dict(headers))
            if answer.status_code != 503:
                return answer
            await asyncio.sleep(0.02)
