"""The staff of a simulated warehouse: it ships what is confirmed or approved at once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import uuid5

from application.messages import Context, RecordedEvent
from application.shop.aggregates import EXCHANGE, ORDER
from application.shop.warehouse import Warehouse
from domain.exchanges import ExchangeApproved, ExchangeIsClosed
from domain.orders import AlreadyCancelled, OrderConfirmed
from domain.shipments import DeliverShipment

GROUP: Final = "warehouse"
EVENTS: Final = ORDER.only(OrderConfirmed) | EXCHANGE.only(ExchangeApproved)


@dataclass(frozen=True)
class Staff:
    """Reacts to the events of the consumer group; idempotent."""

    warehouse: Warehouse
    clock: Callable[[], datetime]

    async def handle(self, recorded: RecordedEvent) -> None:
        """Send one order, or one replacement, on its way. Raises what the warehouse raises."""
        id, context = recorded.stream_id, recorded.caused(GROUP, self.clock())
        handing = _of(context, "hand over")
        try:
            if isinstance(recorded.event, ExchangeApproved):
                await self.warehouse.hand_over_replacement(id, None, handing)
            else:
                await self.warehouse.send(id, _of(context, "send"))
                await self.warehouse.hand_over(id, None, handing)
        except (AlreadyCancelled, ExchangeIsClosed):
            return
        await self.warehouse.dispatch(id, DeliverShipment(), _of(context, "deliver"))


def _of(context: Context, act: str) -> Context:
    """The context of one act; its command id is the same when it is repeated."""
    return replace(context, command_id=uuid5(context.command_id, act))
