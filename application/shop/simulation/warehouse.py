"""The staff of a simulated warehouse: what is confirmed is sent and delivered, at once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import uuid5

from application.messages import Context, RecordedEvent
from application.shop.aggregates import ORDER
from application.shop.warehouse import Warehouse
from domain.orders import AlreadyCancelled, OrderConfirmed
from domain.shipments import DeliverShipment

GROUP: Final = "warehouse"
EVENTS: Final = ORDER.only(OrderConfirmed)


@dataclass(frozen=True)
class Staff:
    """Reacts to the events of the consumer group; to the same one any number of times."""

    warehouse: Warehouse
    clock: Callable[[], datetime]

    async def handle(self, confirmed: RecordedEvent) -> None:
        """Send one order on its way. Raises what the warehouse raises."""
        id, context = confirmed.stream_id, confirmed.caused(GROUP, self.clock())
        try:
            await self.warehouse.send(id, _of(context, "send"))
        except AlreadyCancelled:
            return
        await self.warehouse.hand_over(id, None, _of(context, "hand over"))
        await self.warehouse.dispatch(id, DeliverShipment(), _of(context, "deliver"))


def _of(context: Context, act: str) -> Context:
    """Each act under a command id of its own, the same whenever it is repeated."""
    return replace(context, command_id=uuid5(context.command_id, act))
