"""The warehouse: what is confirmed is shipped and delivered, as fast as it is told."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import uuid5

from application.categories import ours
from application.command_dispatch import CommandDispatch
from application.messages import Context, RecordedEvent
from application.ports import Booked, Carrier, EventStore, ProviderUnavailable
from application.sagas.performing import booking_key
from domain.decider import Command
from domain.orders import AlreadyCancelled, DeliverOrder, OrderPlaced, ShipOrder
from domain.shipments import DeliverShipment, HandOverShipment
from domain.stock import DispatchStock

GROUP: Final = "warehouse"
EVENTS: Final = ours("OrderConfirmed")


@dataclass(frozen=True)
class Warehouse:
    """Reacts to the events of the consumer group; to the same one any number of times."""

    store: EventStore
    dispatch: CommandDispatch
    carrier: Carrier
    clock: Callable[[], datetime]

    async def handle(self, confirmed: RecordedEvent) -> None:
        """Send one order on its way. Raises what the ports and the domain raise."""
        id = confirmed.stream_id
        told = _Told(self.dispatch, confirmed.caused(GROUP, self.clock()))
        try:
            await told(id, ShipOrder(shipment_id=id))  # from here on it cannot be cancelled
        except AlreadyCancelled:
            return
        for sku in await self._skus(confirmed.stream):
            await told(sku, DispatchStock(order_id=id))
        await told(id, HandOverShipment(tracking_code=await self._tracking_code(id)))
        await told(id, DeliverShipment())
        await told(id, DeliverOrder())

    async def _skus(self, stream: str) -> list[str]:
        placed = (await anext(aiter(self.store.read(stream, limit=1)))).event
        assert isinstance(placed, OrderPlaced)  # an order begins with it
        return sorted({line.sku for line in placed.lines})

    async def _tracking_code(self, id: str) -> str:
        match await self.carrier.find(booking_key(id)):
            case Booked(tracking_code=code):
                return code
            case other:
                raise ProviderUnavailable(f"the carrier has {other} for order {id}")


@dataclass(frozen=True)
class _Told:
    """Each command under an id of its own, the same whenever it is told again."""

    dispatch: CommandDispatch
    context: Context

    async def __call__(self, id: str, command: Command) -> None:
        own = uuid5(self.context.command_id, f"{type(command).__name__} {id}")
        await self.dispatch(id, command, replace(self.context, command_id=own))
