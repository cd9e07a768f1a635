"""The whole service on three members that lose their leader while it takes orders."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from embedded_eventstoredb import NodeProcess
from infrastructure.container import wired
from infrastructure.processes.service import reacting
from infrastructure.shop.program import PROGRAM
from infrastructure.shop.simulated_providers import SimulatedProviders
from tests.shop.infrastructure.shop import LINE, ORDER, Shop, shop_over
from tests.stores import understood
from tests.waiting import PATIENCE, until_true

ORDERS = 10  # while each of the leaders goes
TOKEN = "Consistency-Token"
Change = Callable[[NodeProcess], None]


def stepped_down(cluster: NodeProcess) -> None:
    cluster.step_down()


def lost_and_found(cluster: NodeProcess) -> None:
    with cluster.lost(cluster.leader()):
        cluster.leader()


@pytest.fixture
async def shop(postgres: str, tmp_path: Path) -> AsyncIterator[tuple[Shop, NodeProcess]]:
    """A shop at work, and the cluster on which it is: followers are behind."""
    async with AsyncExitStack() as stack:
        cluster = stack.enter_context(
            NodeProcess(cluster=True, follower_lag=0.2, election_time=0.4)
        )
        outside = stack.enter_context(SimulatedProviders())
        settings = {
            "HEADWATER_EVENTSTOREDB_URI": cluster.uri,
            "HEADWATER_POSTGRES_URI": postgres,
            "HEADWATER_PAYMENT_PROVIDER_URI": outside.uris["payment_provider_uri"],
            "HEADWATER_CARRIER_URI": outside.uris["carrier_uri"],
        }
        await asyncio.to_thread(cluster.leader)
        container = wired(PROGRAM, understood(settings, home=tmp_path))
        shop = await stack.enter_async_context(shop_over(container))
        await stack.enter_async_context(reacting(container))
        yield shop, cluster


async def test_orders_are_taken_and_fulfilled_whoever_leads(
    shop: tuple[Shop, NodeProcess],
) -> None:
    """The leader steps down, is lost, and steps down: every order is accepted in the end, under its
    first key and once, is seen with its token, and is fulfilled. The service is ready again, and
    has answered nothing with 500."""
    seen, cluster = set[int](), shop[1]
    await _insisted(shop[0], seen, f"/stock/{LINE['sku']}/receipts", {"quantity": 1000}, "stock")
    orders: list[str] = []
    for number, change in enumerate((stepped_down, lost_and_found, stepped_down)):
        changing = asyncio.create_task(asyncio.to_thread(change, cluster))
        keys = [f"order-{number}-{one}" for one in range(ORDERS)]
        for key in keys:
            placed = await _insisted(shop[0], seen, "/orders", ORDER, key)
            orders.append(placed.headers["Location"])
            await _is_seen(shop[0], seen, placed)
        await changing

    assert len(set(orders)) == 3 * ORDERS
    await until_true(lambda: _are_fulfilled(shop[0], orders))
    await until_true(lambda: _is_ready(shop[0]))
    for order in orders:
        events = await shop[0].events(f"order-{order.removeprefix('/orders/')}")
        assert events == ["OrderPlaced", "OrderConfirmed"]
    assert seen <= {200, 201, 202, 503}


async def _insisted(
    shop: Shop, seen: set[int], path: str, body: object, key: str
) -> httpx.Response:
    """The answer to that command, repeated as long as it is refused for now."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await shop.post(path, body, {"Idempotency-Key": key})
            seen.add(answer.status_code)
            if answer.is_success:
                return answer
            await asyncio.sleep(0.02)


async def _is_seen(shop: Shop, seen: set[int], placed: httpx.Response) -> None:
    """Whoever asks with the token of a command sees what it did, or hears that it is to come."""
    async with asyncio.timeout(PATIENCE):
        while True:
            token = {TOKEN: placed.headers[TOKEN]}
            answer = await shop.http.get(placed.headers["Location"], headers=token)
            seen.add(answer.status_code)
            if answer.status_code == 200:
                return
            await asyncio.sleep(0.02)


async def _are_fulfilled(shop: Shop, orders: list[str]) -> bool:
    answers = [await shop.http.get(f"{path}/fulfilment") for path in orders]
    return all(one.is_success and one.json()["status"] == "completed" for one in answers)


async def _is_ready(shop: Shop) -> bool:
    return (await shop.http.get("/health/ready")).is_success
