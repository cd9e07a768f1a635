"""Recorded workflow histories of every released version of order fulfilment.

python -m tests.shop.infrastructure.temporal.histories        writes what is missing
"""

from functools import partial
from pathlib import Path
from typing import Final

from temporalio.client import Client, WorkflowHistory

from application.shop.sagas.order_fulfilment import order_fulfilment
from application.shop.service import SHOP
from domain.orders import CancelOrder
from tests.infrastructure.temporal.corpus import WorkflowCorpus
from tests.infrastructure.temporal.worlds import OnTemporal, at_work
from tests.shop.application.sagas.world import World
from tests.shop.contracts.saga_histories import FULFILMENTS

STORIES: Final = ("completed", "cancelled", "declined")


class TemporalShop(OnTemporal, World):
    """A shop, its providers, and a worker."""


async def fulfil(world: World, name: str) -> None:
    """An order, and what becomes of it."""
    await world.receive(a=10, b=10)
    await world.place(a=2, b=3)
    await world.settle()
    if name == "cancelled":
        await world.tell("o-1", CancelOrder(reason="found it elsewhere"))
        await world.settle()


async def _fulfilment(name: str, client: Client) -> WorkflowHistory:
    async with at_work(TemporalShop, client, *FULFILMENTS[name]) as shop:
        await fulfil(shop, name)
        return await client.get_workflow_handle("order_fulfilment-o-1").fetch_history()


SHOP_WORKFLOWS: Final = WorkflowCorpus(
    home=Path(__file__).parent / "workflows",
    service=SHOP,
    stories={order_fulfilment.name: {name: partial(_fulfilment, name) for name in STORIES}},
)

if __name__ == "__main__":
    SHOP_WORKFLOWS.freeze()
