"""The roles of the shop, and what belongs to whom."""

from typing import Final

from application.access import Role
from application.ports import EventStore
from application.shop.aggregates import EXCHANGE, ORDER
from domain.exchanges import ExchangeRequested, UnknownExchange
from domain.orders import OrderPlaced, UnknownOrder
from domain.shop_values import CustomerId, ExchangeId, OrderId

CUSTOMER: Final = Role("customer", "orders, and sees and changes their own orders only")
CLERK: Final = Role("clerk", "serves customers: sees and changes the orders of all")
WAREHOUSE: Final = Role("warehouse", "receives goods, dispatches them and hands them over")
ROLES: Final = (CUSTOMER, CLERK, WAREHOUSE)


async def require_own_order(events: EventStore, id: OrderId, customer_id: CustomerId) -> None:
    """Raises :class:`UnknownOrder` for an order of another customer, as for one that is not there.

    The first event of an order names its customer, for good.
    """
    async for recorded in events.read(ORDER.stream(id), limit=1):
        placed = recorded.event
        if isinstance(placed, OrderPlaced) and placed.customer_id == customer_id:
            return
    raise UnknownOrder(f"there is no order {id}")


async def require_own_exchange(events: EventStore, id: ExchangeId, customer_id: CustomerId) -> None:
    """Raises :class:`UnknownExchange` for an exchange of an order of another customer."""
    try:
        async for recorded in events.read(EXCHANGE.stream(id), limit=1):
            if isinstance(requested := recorded.event, ExchangeRequested):
                await require_own_order(events, requested.order_id, customer_id)
                return
    except UnknownOrder:
        pass
    raise UnknownExchange(f"no exchange {id} is known here")
