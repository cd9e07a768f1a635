"""The service as a test sees it: its HTTP interface over memory adapters, projections running."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from application.messages import Context
from application.sagas.operating import SagaCommand
from application.shop.sagas.order_fulfilment import order_fulfilment
from domain.decider import Command
from domain.orders import ConfirmOrder, ShipOrder
from infrastructure.container import Container, in_memory
from infrastructure.http.app import create_app
from infrastructure.processes.service import caught_up, projecting
from infrastructure.shop.program import PROGRAM
from infrastructure.shop.settings import ShopSettings
from tests.waiting import PATIENCE

LINE = {"sku": "85123A", "quantity": 6, "unit_price": "2.55 GBP"}
ORDER = {"customer_id": "17850", "country": "France", "lines": [LINE]}


@dataclass(frozen=True)
class Shop:
    """What a client can do, and what a test needs besides."""

    http: httpx.AsyncClient
    container: Container

    async def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """The answer, once the read models show all that has happened."""
        await caught_up(self.container, patience=PATIENCE)
        return await self.http.get(path, headers=headers)

    async def post(
        self, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return await self.http.post(path, json=body, headers=headers)

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

    async def dispatch(self, id: str, command: Command) -> None:
        """What HTTP does not offer."""
        context = Context.start("a test", uuid4(), datetime.now(UTC))
        of = order_fulfilment.category if isinstance(command, SagaCommand) else None
        await self.container.dispatch()(id, command, context, category=of)

    async def events(self, stream: str) -> list[str]:
        """The types of the events in a stream."""
        return [past.type async for past in self.container.event_store().read(stream)]


@asynccontextmanager
async def shop_over(container: Container) -> AsyncIterator[Shop]:
    """A shop with this wiring."""
    app = create_app(container)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        projecting(container),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
    ):
        yield Shop(http, container)


def empty_shop(**settings: Any) -> Container:
    """The wiring of a shop in memory."""
    return in_memory(PROGRAM, ShopSettings(**settings))
