"""Shipping: order shipped → stock dispatched; parcel delivered → order delivered.

    OrderShipped       → what the order has reserved leaves the stock of each SKU  StockDispatched
    ShipmentDelivered  → the order has arrived                                     OrderDelivered

The warehouse and the carrier record what they did in one command (``warehouse.py``). The effects on
other streams follow here, also after a crash. Each reaction is idempotent. The saga id in the
metadata connects them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import uuid5

from application.command_dispatch import CommandDispatch
from application.messages import Context, RecordedEvent
from application.ports import EventStore
from application.reactions import Reaction
from application.shop.aggregates import ORDER, SHIPMENT
from application.shop.ports import Outside
from domain.decider import Command
from domain.orders import DeliverOrder, OrderPlaced, OrderShipped
from domain.shipments import ShipmentBooked, ShipmentDelivered
from domain.shop_values import OrderId, Sku
from domain.stock import DispatchStock

GROUP: Final = "shipping"


def saga_id(order_id: OrderId) -> str:
    """What all events that follow from one order's shipping carry."""
    return f"{GROUP}:{order_id}"


@dataclass(frozen=True)
class Shipping:
    """Reacts to the events of the consumer group.

    A shipment has the id of its order, or of the exchange that its goods are for.
    """

    store: EventStore
    dispatch: CommandDispatch
    clock: Callable[[], datetime]

    async def handle(self, recorded: RecordedEvent) -> None:
        """React to one event; idempotent.

        Raises what the store and the domain raise.
        """
        id = recorded.stream_id
        context = replace(recorded.caused(GROUP, self.clock()), saga_id=saga_id(id))
        if isinstance(recorded.event, ShipmentDelivered):
            if await self._is_of_order(recorded.stream, id):
                await self._dispatched(id, DeliverOrder(), context)
            return
        for sku in await self._skus(recorded.stream):
            await self._dispatched(sku, DispatchStock(order_id=id), context)

    async def _dispatched(self, id: str, command: Command, context: Context) -> None:
        own = uuid5(context.command_id, f"{type(command).__name__} {id}")
        await self.dispatch(id, command, replace(context, command_id=own))

    async def _is_of_order(self, shipment: str, id: str) -> bool:
        """Whether it is the parcel of an order, and not of an exchange."""
        booked = (await anext(aiter(self.store.read(shipment, limit=1)))).event
        assert isinstance(booked, ShipmentBooked)  # a shipment begins with it
        return booked.order_id == id

    async def _skus(self, order: str) -> list[Sku]:
        placed = (await anext(aiter(self.store.read(order, limit=1)))).event
        assert isinstance(placed, OrderPlaced)  # an order begins with it
        return sorted({line.sku for line in placed.lines})


shipping: Final[Reaction[Outside]] = Reaction(
    GROUP,
    ORDER.only(OrderShipped) | SHIPMENT.only(ShipmentDelivered),
    lambda tools: Shipping(tools.event_store, tools.dispatch, tools.clock).handle,
)
