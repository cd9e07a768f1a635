"""What the carrier reports over the bus: a parcel has arrived, or will not."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from application.command_dispatch import CommandDispatch
from application.messages import Context, RecordedEvent
from application.receiving.receiver import Receiver
from application.shop.incoming import CARRIER
from application.shop.service import SHOP
from domain.decider import Command
from domain.shipments import BookShipment, HandOverShipment, ShipmentDelivered, ShipmentFailed
from infrastructure import memory
from tests.application.receiving_world import at_work, headers
from tests.application.test_consuming import no_pause
from tests.waiting import until

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Shop:
    """A shop in memory, with a parcel ``o`` that the carrier has as ``T1``."""

    def __init__(self) -> None:
        self.store = memory.EventStore(SHOP.catalogue)
        self.topics = memory.IncomingRecords()
        self.outcomes: list[str] = []
        self.dispatch = CommandDispatch(self.store, SHOP.catalogue)

    def receiver(self) -> Receiver:
        return Receiver(
            CARRIER,
            "headwater.carrier",
            self.topics,
            self.dispatch,
            self.store,
            memory.ConsumerGroups(self.store),
            None,
            lambda: NOON,
            count=lambda outcome: self.outcomes.append(outcome.value),
            pause=no_pause,
        )

    async def record(self, *commands: Command) -> None:
        for command in commands:
            await self.dispatch("o", command, Context.start("a test", uuid4(), NOON))

    async def reported(self, what: str, id: str = "e-1", code: str = "T1", **more: str) -> str:
        """The outcome of a report of the carrier."""
        before, data = len(self.outcomes), {"shipment_id": "o", "tracking_code": code, **more}
        attributes = headers(id, f"carrier.parcel.{what}.v1", source="/carrier", correlationid="c")
        await self.topics.put("carrier.parcel", b"o", json.dumps(data).encode(), attributes)
        await until(lambda: len(self.outcomes) > before)
        return self.outcomes[-1]

    async def shipment(self) -> list[RecordedEvent]:
        return [recorded async for recorded in self.store.read("shipment-o")]


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    shop = Shop()
    await shop.record(BookShipment(order_id="o", carrier="the carrier"))
    async with at_work(shop.receiver()):
        yield shop


async def test_a_parcel_arrives_once(shop: Shop) -> None:
    """However often the carrier says so; what follows belongs to the same correlation."""
    await shop.record(HandOverShipment(tracking_code="T1"))
    for id in ("e-1", "e-1", "e-2"):
        assert await shop.reported("delivered", id) == "handled"

    *_, last = await shop.shipment()
    assert [one.type for one in await shop.shipment()].count("ShipmentDelivered") == 1
    assert last.event == ShipmentDelivered()
    assert (last.metadata.correlation_id, last.metadata.causation_id) == ("c", "e-1")


@pytest.mark.parametrize(
    ("given", "recorded"),
    [({"reason": "lost"}, "lost"), ({}, "the carrier gave no reason")],
)
async def test_a_parcel_that_will_not_arrive_has_failed(
    shop: Shop, given: dict[str, str], recorded: str
) -> None:
    """With the reason that the carrier gives, if it gives one."""
    await shop.record(HandOverShipment(tracking_code="T1"))

    assert await shop.reported("failed", **given) == "handled"
    assert (await shop.shipment())[-1].event == ShipmentFailed(reason=recorded)


async def test_a_report_of_another_parcel_is_parked(shop: Shop) -> None:
    """A tracking code that is not this parcel's says nothing about it."""
    await shop.record(HandOverShipment(tracking_code="T1"))

    assert await shop.reported("delivered", code="T2") == "parked"
    assert (await shop.shipment())[-1].type == "ShipmentHandedOver"


async def test_a_report_before_the_hand_over_is_parked(shop: Shop) -> None:
    """Once the hand-over is recorded, an operator replays it."""
    assert await shop.reported("delivered") == "parked"
    assert (await shop.shipment())[-1].type == "ShipmentBooked"
