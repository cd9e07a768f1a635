"""How a consumer waits between connections that break."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from application.consuming import GroupConsumer
from application.parking_stream import ParkingStream
from application.ports import StoreUnavailable
from infrastructure import memory
from infrastructure.memory.consumer_groups import Delivery
from tests.sample.aggregates import TRANSFER
from tests.sample.service import SAMPLE
from tests.sample.transfers import TransferCancelled
from tests.virtual_time import in_virtual_time


class Breaking(memory.ConsumerGroups):
    """Each connection breaks after ``held`` seconds, without a delivery."""

    def __init__(self, store: memory.EventStore, held: float) -> None:
        super().__init__(store)
        self._held = held

    @asynccontextmanager
    async def consume(self, *_: Any, **__: Any) -> AsyncIterator[AsyncIterator[Delivery]]:
        yield self._broken()

    async def _broken(self) -> AsyncIterator[Delivery]:
        await asyncio.sleep(self._held)
        raise StoreUnavailable("it broke")
        yield  # a generator


@pytest.mark.parametrize(("held", "pauses"), [(0.0, [1, 2, 3, 4]), (60.0, [1, 1, 1, 1])])
def test_a_connection_that_held_resets_the_pauses(held: float, pauses: list[int]) -> None:
    """Pauses grow from break to break, and start again after a connection that held a minute."""
    assert in_virtual_time(_pauses(held, len(pauses))) == pauses


async def _pauses(held: float, breaks: int) -> list[int]:
    store, paused = memory.EventStore(SAMPLE.catalogue), list[int]()

    async def pause(attempt: int) -> None:
        paused.append(attempt)
        if len(paused) == breaks:
            raise asyncio.CancelledError

    consumer = GroupConsumer(
        "work",
        TRANSFER.only(TransferCancelled),
        lambda _: asyncio.sleep(0),
        Breaking(store, held),
        store,
        None,
        ParkingStream(store, "work"),
        pause=pause,
    )
    await asyncio.wait([asyncio.create_task(consumer.run())])
    return paused
