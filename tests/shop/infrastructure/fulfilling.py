"""An engine at work over some wiring, with providers in memory that can be told to fail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from application.backoff import Backoff
from application.messages import RecordedEvent
from application.sagas.deadlines import Deadlines
from application.sagas.engine import SagaEngine
from application.sagas.performing import Performer
from application.shop.sagas.order_fulfilment import order_fulfilment
from application.shop.sagas.outside_calls import outside_calls
from application.shop.service import SHOP
from infrastructure.container import Container
from infrastructure.providers.simulated import Faults
from infrastructure.shop import memory as shop_memory

_SOON = Backoff(0.005, most=0.4)
IMPATIENT = replace(
    order_fulfilment, steps=tuple(replace(step, retries=_SOON) for step in order_fulfilment.steps)
)
"""The same saga, for tests that wait for many attempts."""


@asynccontextmanager
async def fulfilling(container: Container, faults: Faults) -> AsyncIterator[None]:
    """Orders are fulfilled as long as the block lasts."""
    store, subscriptions = container.event_store(), container.subscriptions()
    performer = Performer(container.dispatch(), outside_calls(shop_memory.outside(faults)))
    engine = SagaEngine(
        [IMPATIENT], SHOP.catalogue.own, store, performer, observe=container.saga_metrics()
    )
    tasks = [
        asyncio.create_task(_follow(engine, subscriptions)),
        asyncio.create_task(Deadlines(IMPATIENT.name, store, subscriptions).run()),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


async def _follow(engine: SagaEngine, subscriptions: Any) -> None:
    wanted = engine.events
    async with subscriptions.catch_up(after=None, only=wanted) as messages:
        async for message in messages:
            if isinstance(message, RecordedEvent):
                await engine.handle(message)
