"""The simulated carrier on a real broker: it gets a parcel, and reports that it has arrived."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest

from application.ending import end
from application.integration_events import Outgoing
from application.messages import RecordedEvent
from application.ports import BusRecord
from application.shop.service import SHOP
from infrastructure.kafka import cloud_events
from infrastructure.kafka.client import client_settings
from infrastructure.kafka.sending import Send, sending
from infrastructure.processes.service import reacting
from infrastructure.shop.cli.providers import run_providers
from infrastructure.shop.parcels_on_the_bus import delivered
from infrastructure.shop.settings import ShopSettings
from tests.kafka_topics import create
from tests.shop.infrastructure.shop import ORDER, Shop, empty_shop, shop_over
from tests.waiting import until_true

TRACED = {"X-Correlation-Id": "the-hand-over"}


@dataclass
class World:
    """A shop in memory that receives from a real broker, and a way to publish as it does."""

    shop: Shop
    send: Send

    async def ordered(self) -> str:
        """The id of an order, placed over HTTP, that is confirmed."""
        await self.shop.post("/stock/85123A/receipts", {"quantity": 100})
        id = str((await self.shop.post("/orders", ORDER)).json()["id"])
        await until_true(lambda: self.is_now(id, "confirmed"))
        return id

    async def is_now(self, id: str, status: str) -> bool:
        return bool((await self.shop.get(f"/orders/{id}")).json()["status"] == status)

    async def published(self, stream: str) -> Outgoing:
        """What the shop publishes of the last event of that stream."""
        [outgoing] = SHOP.contract.outgoing((await self.events(stream))[-1])
        return outgoing

    async def events(self, stream: str) -> list[RecordedEvent]:
        return [recorded async for recorded in self.shop.container.event_store().read(stream)]


@pytest.fixture
async def world(kafka: str) -> AsyncIterator[World]:
    async with world_on(kafka) as world:
        yield world


@asynccontextmanager
async def world_on(kafka: str) -> AsyncIterator[World]:
    settings = {"bus": "kafka", "kafka_bootstrap_servers": kafka, "kafka_prefix": f"t{uuid4()}."}
    container = empty_shop(**settings)
    container.incoming_records.reset_last_overriding()
    mine = container.settings()
    assert isinstance(mine, ShopSettings)
    create(kafka, f"{mine.kafka_prefix}headwater.shipment")
    async with (
        shop_over(container) as shop,
        reacting(container),
        simulated(mine),
        sending(client_settings(mine), mine.kafka_prefix) as send,
    ):
        yield World(shop, send)


@asynccontextmanager
async def simulated(settings: ShopSettings) -> AsyncIterator[None]:
    """``headwater providers``, with the setting by which a service finds them."""
    given = settings.model_copy(update={"carrier_uri": "http://127.0.0.1:8010/parcels"})
    task = asyncio.create_task(run_providers(None, 0, "127.0.0.1", given))
    try:
        yield
    finally:
        await end([task])


async def test_an_order_is_delivered_by_the_carriers_event(world: World) -> None:
    """Once, though the carrier reports it twice; the correlation id is that of the hand-over."""
    id = await world.ordered()
    handed = await world.shop.post(f"/shipments/{id}/hand-over", {}, TRACED)
    assert handed.status_code == 200, handed.text
    parcel = await world.published(f"shipment-{id}")
    for _ in range(2):
        await world.send(parcel)
    await until_true(lambda: world.is_now(id, "delivered"))
    await until_true(lambda: handled(world, 2))

    *_, arrived = await world.events(f"shipment-{id}")
    types = [one.type for one in await world.events(f"shipment-{id}")]
    assert types == ["ShipmentBooked", "ShipmentHandedOver", "ShipmentDelivered"]
    assert (await world.shop.events(f"order-{id}")).count("OrderDelivered") == 1
    assert arrived.metadata.correlation_id == "the-hand-over"
    assert arrived.metadata.causation_id == f"delivered {parcel.event.id}"


async def handled(world: World, count: int) -> bool:
    shown = (await world.shop.http.get("/metrics")).text
    of = 'outcome="handled",publisher="carrier"'
    return f"headwater_received_records_total{{{of}}} {count}.0" in shown


async def test_the_carrier_reports_only_what_it_was_handed() -> None:
    """Other events of shipments, and what is no event, lead to no report."""
    async with shop_over(empty_shop()) as shop:
        id = (await shop.placed()).removeprefix("/orders/")
        world = World(shop, send=_unused)
        (placed,) = await world.events(f"order-{id}")
    [outgoing] = SHOP.contract.outgoing(placed)
    headers = [(name, _bytes(value)) for name, value in cloud_events.headers(outgoing.event)]

    assert delivered(BusRecord("t", 0, 0, b"o", outgoing.event.data, headers)) is None
    assert delivered(BusRecord("t", 0, 0, b"o", b"{}")) is None


async def _unused(_: Outgoing) -> None:
    raise AssertionError


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
