"""Events that a benchmark projects: made before, and replayed as if a store sent them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.ports import Progress, Subscriptions, WritableViews
from application.projections.projection import Projection
from application.projections.runner import ProjectionRunner
from application.shop.service import SHOP
from domain.decider import Event
from domain.orders import OrderConfirmed, OrderLine, OrderPlaced
from domain.stock import StockReceived
from domain.values import Money
from tests.projection_specification import recorded
from tests.waiting import until

SKUS = 4_000  # as many as a real history has


def receipts(count: int, skus: int) -> Sequence[RecordedEvent]:
    """Small events, and many for each view."""
    return recorded(
        SHOP.catalogue,
        (
            (f"stock-{number % skus}", StockReceived(receipt_id=f"r-{number}", quantity=1))
            for number in range(count)
        ),
    )


def orders(count: int, lines: int, *, apart: int) -> Sequence[RecordedEvent]:
    """Two events for each view: an order is placed, and confirmed so many orders later."""
    return recorded(SHOP.catalogue, _steps(count, lines, apart))


def _steps(count: int, lines: int, apart: int) -> Iterator[tuple[str, Event]]:
    goods = [_line(number) for number in range(SKUS + lines)]
    for number in range(count + apart):
        if number < count:
            start = number * 7 % SKUS
            wanted = tuple(goods[start : start + lines])
            placed = OrderPlaced(customer_id="17850", country="France", lines=wanted)
            yield f"order-{number}", placed
        if number >= apart:
            yield f"order-{number - apart}", OrderConfirmed()


def _line(number: int) -> OrderLine:
    return OrderLine(
        sku=f"{10_000 + number}A",
        description=f"WHITE HANGING T-LIGHT HOLDER {number * number}",
        quantity=number % 48 + 1,
        unit_price=Money.parse(f"{number % 900 / 100 + 0.19:.2f} GBP"),
    )


class Replay:
    """Subscriptions to a list of events, for one run: undecoded, and forgotten once they are sent.

    So they come from a store. Who kept them, decoded, would have garbage collected around them.
    """

    def __init__(self, events: Sequence[RecordedEvent]) -> None:
        self._events = deque(replace(event) for event in events)
        self._end = events[-1].position

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, only: EventFilter
    ) -> AsyncIterator[AsyncIterator[RecordedEvent | Progress]]:
        yield self._replay(-1 if after is None else after, only)

    async def _replay(
        self, after: int, only: EventFilter
    ) -> AsyncIterator[RecordedEvent | Progress]:
        while self._events:
            event = self._events.popleft()
            if event.position > after and event in only:
                yield event
        yield Progress(self._end, caught_up=True)
        await asyncio.Event().wait()


async def run(
    projection: Projection[Any], subscriptions: Subscriptions, views: WritableViews[Any]
) -> None:
    """Follow the events from the checkpoint on, until it has caught up."""
    runner = ProjectionRunner(projection, subscriptions, views, None)
    task = asyncio.create_task(runner.run())
    await until(lambda: runner.status().caught_up or task.done(), within=300, every=0.01)
    task.cancel()
    await asyncio.wait([task])
