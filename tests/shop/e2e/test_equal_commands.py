"""The same command twenty times at once, at two processes that know nothing of each other."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.shipments import ShipmentHandedOver
from infrastructure.container import Container
from infrastructure.shop.simulated_providers import SimulatedProviders
from tests.shop.e2e.cli import PATIENCE, serving
from tests.shop.infrastructure.shop import LINE, ORDER
from tests.shop.stores import opened
from tests.waiting import until_true

TIMES = 20
SECONDS = 10.0  # on a machine with other work; alone, each takes less than one
CARRIER = {"Authorization": "Bearer the-token-of-the-carrier"}
CODE = "SIM000000001"  # of the first booking with the simulated carrier


@dataclass(frozen=True)
class Two:
    """Two services over the same servers, and what is in the store."""

    clients: tuple[httpx.AsyncClient, httpx.AsyncClient]
    container: Container

    async def at_once(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """The one answer that all of them get, in turn from either service, within seconds."""
        began = time.perf_counter()
        posts = (
            one.post(path, json=body, headers=headers) for one in islice(cycle(self.clients), TIMES)
        )
        answers = await asyncio.gather(*posts)
        print(f"{TIMES} equal POST {path}: {time.perf_counter() - began:.2f} s")
        assert time.perf_counter() - began < SECONDS
        first = answers[0]
        assert first.is_success, first.text
        assert {(one.status_code, one.content) for one in answers} == {
            (first.status_code, first.content)
        }
        assert {one.headers.get("Location") for one in answers} == {first.headers.get("Location")}
        return first

    async def events(self, stream: str) -> list[str]:
        return [one.type async for one in self.container.event_store().read(stream)]

    async def tracking_code(self, id: str) -> str:
        """Under which the carrier has the parcel."""
        last = [one async for one in self.container.event_store().read(f"shipment-{id}")][-1].event
        assert isinstance(last, ShipmentHandedOver)
        return last.tracking_code


@pytest.fixture
async def two(
    servers: Mapping[str, str], tmp_path: Path, unused_tcp_port_factory: Any
) -> AsyncIterator[Two]:
    ports = [unused_tcp_port_factory() for _ in range(2)]
    async with AsyncExitStack() as stack:
        outside = stack.enter_context(SimulatedProviders())
        settings = {
            **servers,
            "HEADWATER_PAYMENT_PROVIDER_URI": outside.uris["payment_provider_uri"],
            "HEADWATER_CARRIER_URI": outside.uris["carrier_uri"],
            "HEADWATER_CARRIER_TOKEN": CARRIER["Authorization"].removeprefix("Bearer "),
        }
        for port in ports:
            stack.enter_context(
                serving(tmp_path / f"{port}", **settings, HEADWATER_HTTP_PORT=str(port))
            )
        one, other = [
            await stack.enter_async_context(
                httpx.AsyncClient(
                    base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=PATIENCE
                )
            )
            for port in ports
        ]
        for client in (one, other):
            await until_true(partial(_is_ready, client), PATIENCE)
        yield Two((one, other), await stack.enter_async_context(opened(settings)))


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/ready")).is_success
    except httpx.HTTPError:
        return False


async def test_every_command_is_carried_out_once(two: Two) -> None:
    """All get the first one's answer, word for word, and the event is there once: for an order from
    its beginning to its return, for stock, and for what the carrier reports."""
    sku, key = LINE["sku"], {"Idempotency-Key": "once"}
    await two.at_once(f"/stock/{sku}/receipts", {"quantity": 100}, **key)
    assert await two.events(f"stock-{sku}") == ["StockReceived"]
    order = (await two.at_once("/orders", ORDER, **key)).headers["Location"]
    id = order.removeprefix("/orders/")

    async def is_confirmed() -> bool:
        return "OrderConfirmed" in await two.events(f"order-{id}")

    await until_true(is_confirmed, PATIENCE)
    await two.at_once(f"{order}/dispatch", None, **key)
    await two.at_once(f"/shipments/{id}/hand-over", {}, **key)
    code = await two.tracking_code(id)
    notice = {"notice_id": "n-1", "shipment_id": id, "tracking_code": code, "status": "delivered"}
    await two.at_once("/carrier/notices", notice, **CARRIER)
    await two.at_once(f"{order}/returns", {"lines": [{"line": 1, "quantity": 1}]}, **key)
    other = await two.at_once("/orders", ORDER, **{"Idempotency-Key": "another"})
    await two.at_once(f"{other.headers['Location']}/cancellation", {"reason": "too late"}, **key)

    seen = Counter(
        await two.events(f"order-{id}")
        + await two.events(f"shipment-{id}")
        + await two.events(f"order-{other.json()['id']}")
    )
    once = [
        "OrderShipped",
        "ShipmentHandedOver",
        "ShipmentDelivered",
        "LinesReturned",
        "OrderCancelled",
    ]
    assert {type: seen[type] for type in once} == dict.fromkeys(once, 1)
    assert seen["OrderPlaced"] == 2
