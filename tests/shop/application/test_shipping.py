"""What follows when goods leave and parcels arrive, whatever comes twice or too late."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from application.command_dispatch import CommandDispatch
from application.messages import Context, RecordedEvent
from application.shop.reactions.shipping import Shipping, saga_id
from application.shop.service import SHOP
from domain.decider import Command
from domain.orders import ConfirmOrder, NotShipped, OrderLine, PlaceOrder, ShipOrder
from domain.shipments import BookShipment, DeliverShipment, HandOverShipment
from domain.stock import NotReserved, ReceiveStock, ReserveStock
from domain.values import Money
from infrastructure import memory

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LINES = tuple(
    OrderLine(sku=sku, quantity=2, unit_price=Money.parse("1 GBP")) for sku in ("A", "B", "A")
)


class Shop:
    """A shop in memory, with one confirmed order ``o`` for which goods are reserved."""

    def __init__(self) -> None:
        self.store = memory.EventStore(SHOP.catalogue)
        self.dispatch = CommandDispatch(self.store, SHOP.catalogue)
        self.shipping = Shipping(self.store, self.dispatch, lambda: NOON)

    async def tell(self, id: str, command: Command) -> None:
        await self.dispatch(id, command, Context.start("a test", uuid4(), NOON))

    async def confirmed(self, *, reserved: bool = True) -> None:
        await self.tell("o", PlaceOrder(lines=LINES))
        for sku, quantity in (("A", 4), ("B", 2)):
            await self.tell(sku, ReceiveStock(receipt_id="r-1", quantity=10))
            if reserved:
                await self.tell(sku, ReserveStock(order_id="o", quantity=quantity))
        await self.tell("o", ConfirmOrder())
        await self.tell("o", BookShipment(order_id="o", carrier="the carrier"))

    async def last(self, stream: str) -> RecordedEvent:
        return [recorded async for recorded in self.store.read(stream)][-1]

    async def types(self, stream: str) -> list[str]:
        return [recorded.type async for recorded in self.store.read(stream)]


@pytest.fixture
async def shop() -> Shop:
    shop = Shop()
    await shop.confirmed()
    return shop


async def test_what_was_shipped_leaves_the_stock(shop: Shop) -> None:
    """Each SKU of the order once, over all its lines, however often the event comes."""
    await shop.tell("o", ShipOrder(shipment_id="o"))
    for _ in range(2):
        await shop.shipping.handle(await shop.last("order-o"))

    for sku in ("A", "B"):
        assert await shop.types(f"stock-{sku}") == [
            "StockReceived", "StockReserved", "StockDispatched",
        ]  # fmt: skip
        dispatched = await shop.last(f"stock-{sku}")
        assert dispatched.metadata.saga_id == saga_id("o")
        assert dispatched.metadata.causation_id == str((await shop.last("order-o")).id)


async def test_an_order_is_delivered_with_its_parcel(shop: Shop) -> None:
    """When the parcel has arrived, so has the order; once, however often the event comes."""
    await shop.tell("o", ShipOrder(shipment_id="o"))
    await shop.tell("o", HandOverShipment(tracking_code="T1"))
    await shop.tell("o", DeliverShipment(tracking_code="T1"))
    for _ in range(2):
        await shop.shipping.handle(await shop.last("shipment-o"))

    assert (await shop.types("order-o"))[-2:] == ["OrderShipped", "OrderDelivered"]


async def test_the_parcel_of_an_exchange_delivers_no_order(shop: Shop) -> None:
    """It has the id of the exchange, and names the order: that one arrived long ago."""
    await shop.tell("o", ShipOrder(shipment_id="o"))
    await shop.tell("e", BookShipment(order_id="o", carrier="the carrier"))
    await shop.tell("e", HandOverShipment(tracking_code="T"))
    await shop.tell("e", DeliverShipment())
    await shop.shipping.handle(await shop.last("shipment-e"))

    assert (await shop.types("order-o"))[-1] == "OrderShipped"


async def test_a_parcel_of_an_order_that_never_left_needs_a_person(shop: Shop) -> None:
    """It is refused in words, so its event is parked with them."""
    await shop.tell("o", HandOverShipment(tracking_code="T1"))
    await shop.tell("o", DeliverShipment())
    with pytest.raises(NotShipped):
        await shop.shipping.handle(await shop.last("shipment-o"))


async def test_goods_that_nobody_reserved_need_a_person() -> None:
    """They do not leave the stock by themselves."""
    shop = Shop()
    await shop.confirmed(reserved=False)
    await shop.tell("o", ShipOrder(shipment_id="o"))
    with pytest.raises(NotReserved):
        await shop.shipping.handle(await shop.last("order-o"))
