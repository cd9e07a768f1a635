"""The shop over HTTP while the leader of its event store has lost its followers."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest

from embedded_eventstoredb import NodeProcess
from infrastructure.container import wired
from infrastructure.shop.program import PROGRAM
from tests.infrastructure.test_eventstoredb_quorum import cluster, leader_alone
from tests.shop.infrastructure.shop import LINE, ORDER, Shop, shop_over
from tests.shop.stores import NOWHERE, settings_of
from tests.waiting import PATIENCE

__all__ = ["cluster"]


@pytest.fixture
async def shop(
    cluster: NodeProcess,
    postgres: str,
    tmp_path: Path,
) -> AsyncIterator[Shop]:
    servers = {
        "HEADWATER_EVENTSTOREDB_URI": cluster.uri,
        "HEADWATER_POSTGRES_URI": postgres,
        **NOWHERE,
    }
    async with shop_over(wired(PROGRAM, settings_of(servers, home=tmp_path))) as shop:
        yield shop


async def test_commands_that_timed_out_are_carried_out_once(
    cluster: NodeProcess,
    shop: Shop,
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
