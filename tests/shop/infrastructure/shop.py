"""The shop as a test sees it, over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from application.category import Category
from application.sagas.operating import SagaCommand
from application.shop.sagas.order_fulfilment import order_fulfilment
from domain.decider import Command
from domain.orders import ConfirmOrder, ShipOrder
from infrastructure.container import Container, in_memory
from infrastructure.shop.program import PROGRAM
from infrastructure.shop.settings import ShopSettings
from tests.client import Client, serving

LINE = {"sku": "85123A", "quantity": 6, "unit_price": "2.55 GBP"}
ORDER = {"customer_id": "17850", "country": "France", "lines": [LINE]}


class Shop(Client):
    """A client of the shop."""

    async def placed(self, **changed: Any) -> str:
        """The path of a new order."""
        answer = await self.post("/orders", {**ORDER, **changed})
        assert answer.status_code == 201, answer.text
        return str(answer.headers["Location"])

    async def shipped(self) -> str:
        """The path of an order whose goods have left."""
        order = await self.placed()
        for command in (ConfirmOrder(), ShipOrder(shipment_id="s-1")):
            await self.dispatch(order.removeprefix("/orders/"), command)
        return order

    async def dispatch(self, id: str, command: Command, category: Category | None = None) -> None:
        """What HTTP does not offer. A command to a saga goes to the fulfilment of an order."""
        of_saga = order_fulfilment.category if isinstance(command, SagaCommand) else None
        await super().dispatch(id, command, category or of_saga)


@asynccontextmanager
async def shop_over(container: Container) -> AsyncIterator[Shop]:
    """A shop with this wiring."""
    async with serving(Shop, container) as shop:
        yield shop


def empty_shop(**settings: Any) -> Container:
    """The wiring of a shop in memory."""
    return in_memory(PROGRAM, ShopSettings(**settings))
