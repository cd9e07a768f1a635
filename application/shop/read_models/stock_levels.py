"""What is there of every SKU, and how much of it is free. Key: the SKU.

A view has a constant size, however many movements there are.
"""

from collections.abc import Collection
from typing import assert_never, cast

from application.messages import RecordedEvent
from application.projections.projection import Projection, View
from application.shop.aggregates import STOCK
from domain.shop_values import Sku
from domain.stock import (
    StockAdjusted,
    StockDispatched,
    StockEvent,
    StockReceived,
    StockReleased,
    StockReserved,
    StockWrittenOff,
)


class StockLevel(View):
    sku: Sku
    version: int = -1  # of the stream: what the next command may be based on
    on_hand: int = 0  # below zero only after a write-off from history
    reserved: int = 0
    available: int = 0


def _keys(recorded: RecordedEvent) -> Collection[str]:
    return (recorded.stream_id,)


def _evolve(level: StockLevel | None, recorded: RecordedEvent) -> StockLevel:
    level = level or StockLevel(sku=recorded.stream_id)
    on_hand, reserved = _movement(cast("StockEvent", recorded.event))
    return StockLevel(
        sku=level.sku,
        version=recorded.version,
        on_hand=level.on_hand + on_hand,
        reserved=level.reserved + reserved,
        available=level.available + on_hand - reserved,
    )


def _movement(event: StockEvent) -> tuple[int, int]:
    """By how much the event changes what is on hand, and what is reserved of it."""
    match event:
        case StockReceived(quantity=quantity):
            return quantity, 0
        case StockReserved(quantity=quantity):
            return 0, quantity
        case StockReleased(quantity=quantity):
            return 0, -quantity
        case StockDispatched(quantity=quantity):
            return -quantity, -quantity
        case StockWrittenOff(quantity=quantity):
            return -quantity, 0
        case StockAdjusted(difference=difference):
            return difference, 0
        case _:
            assert_never(event)


stock_levels = Projection(
    name="stock_levels",
    version=1,
    view=StockLevel,
    follows=(STOCK,),
    keys=_keys,
    evolve=_evolve,
)
