"""Follows a shop at work: the status of each order, and whether everything has settled."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Final

from pydantic import BaseModel, ConfigDict

from application.claim_check import claim
from application.messages import RecordedEvent
from application.ports import PayloadStore, Progress, Subscriptions
from application.shop.aggregates import EXCHANGE, ORDER, STOCK
from application.shop.auditing import exchanges, fulfilment
from application.shop.reactions import goods_return
from application.shop.sagas.order_fulfilment import order_fulfilment
from domain.exchanges import ExchangeRequested
from domain.orders import LinesReturned, OrderPlaced
from domain.stock import StockDispatched, StockReceived

_STATUSES: Final = {
    "OrderPlaced": "placed",
    "OrderConfirmed": "confirmed",
    "OrderShipped": "shipped",
    "OrderDelivered": "delivered",
    "OrderCancelled": "cancelled",
}
_RETRIES: Final = ("StepDelayed", "UndoDelayed")
_BACK: Final = "CompensationOrdered"
EVENTS: Final = (
    ORDER.own.of_types([*_STATUSES, "LinesReturned"])
    | STOCK.only(StockReceived, StockDispatched)
    | order_fulfilment.category.own.of_types([*_RETRIES, _BACK, *fulfilment.ENDS])
    | EXCHANGE.only(ExchangeRequested)
    | exchanges.EVENTS
)
_EXCHANGES: Final = (EXCHANGE.name, exchanges.CATEGORY)


@dataclass
class OrderProgress:
    """One order, by the events so far."""

    status: str = ""
    end: str = ""  # of its saga, the last one
    ordered_back: bool = False  # the saga was ordered to compensate
    placed_at: datetime | None = None
    skus: tuple[str, ...] = ()  # of its lines, in order

    @property
    def is_settled(self) -> bool:
        """Whether it needs no further work."""
        match self.end:
            case "completed":
                return self.status == "delivered"
            case "failed":  # cancelled by its customer, it is still to be undone
                return self.status != "cancelled" or self.ordered_back
            case end:
                return end != ""


class Tally(BaseModel):
    """Counts so far. Seconds are from the placing of an order to the end of its saga."""

    model_config = ConfigDict(frozen=True)

    placed: int
    completed: int
    compensated: int
    failed: int
    running: int
    delivered: int
    returns: int
    exchanges: int
    retries: int
    p50_seconds: float | None
    p99_seconds: float | None


@dataclass
class Floor:
    """Follows the store. ``watch`` it as a task."""

    orders: defaultdict[str, OrderProgress] = field(
        default_factory=lambda: defaultdict(OrderProgress)
    )
    _unsettled: set[str] = field(default_factory=set)
    _to_restock: set[tuple[str, str]] = field(default_factory=set)  # stream and receipt
    _to_dispatch: set[tuple[str, str]] = field(default_factory=set)  # stream and order
    _exchanges: dict[str, bool] = field(default_factory=dict)  # by id: whether it has ended
    _returns: int = 0
    _retries: int = 0
    _seconds: list[float] = field(default_factory=list)
    _bells: defaultdict[str, asyncio.Event] = field(
        default_factory=lambda: defaultdict(asyncio.Event)
    )
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def watch(self, subscriptions: Subscriptions, payloads: PayloadStore) -> None:
        """Follow all events until cancelled. Raises ``StoreUnavailable``."""
        async with subscriptions.catch_up(after=None, only=EVENTS) as messages:
            async for message in messages:
                if not isinstance(message, Progress):
                    self.see(await claim(message, payloads))

    def see(self, recorded: RecordedEvent) -> None:
        """Apply one event."""
        if recorded.type == "StockReceived":
            assert isinstance(recorded.event, StockReceived)
            self._to_restock.discard((recorded.stream, recorded.event.receipt_id))
        elif recorded.type == "StockDispatched":
            assert isinstance(recorded.event, StockDispatched)
            self._to_dispatch.discard((recorded.stream, recorded.event.order_id))
        elif recorded.type in _RETRIES:
            self._retries += 1
        elif recorded.stream.partition("-")[0] in _EXCHANGES:
            self._exchanges[recorded.stream_id] = recorded.type in fulfilment.ENDS
            self._bells.pop(recorded.stream_id, _NOBODY).set()
        else:
            self._see_order(recorded.stream_id, recorded)
        self._news.set()

    def _see_order(self, id: str, recorded: RecordedEvent) -> None:
        order = self.orders[id]
        if recorded.type in fulfilment.ENDS:
            order.end = fulfilment.ENDS[recorded.type]
            if order.placed_at is not None:
                self._seconds.append((recorded.recorded_at - order.placed_at).total_seconds())
        elif recorded.type == _BACK:
            order.ordered_back, order.end = True, ""
        elif isinstance(event := recorded.event, LinesReturned):
            self._see_return(id, order, event)
        else:
            order.status = _STATUSES[recorded.type]
            if isinstance(event, OrderPlaced):
                order.placed_at = recorded.recorded_at
                order.skus = tuple(line.sku for line in event.lines)
            if recorded.type == "OrderShipped":
                self._to_dispatch |= {(f"stock-{sku}", id) for sku in order.skus}
        if order.is_settled:
            self._unsettled.discard(id)
        else:
            self._unsettled.add(id)
        self._bells.pop(id, _NOBODY).set()

    def _see_return(self, id: str, order: OrderProgress, event: LinesReturned) -> None:
        self._returns += 1
        receipt = goods_return.receipt_id(id, event.return_id)
        skus = {order.skus[line.line - 1] for line in event.lines}
        self._to_restock |= {(f"stock-{sku}", receipt) for sku in skus}

    async def until(self, id: str, holds: Callable[[OrderProgress], bool]) -> OrderProgress:
        """Wait until the condition holds for that order."""
        while not holds(self.orders[id]):
            await self._bells[id].wait()
        return self.orders[id]

    async def until_exchanged(self, id: str) -> None:
        """Wait until that exchange has ended."""
        while not self._exchanges.get(id, False):
            await self._bells[id].wait()

    @property
    def is_settled(self) -> bool:
        moving = self._unsettled or self._to_restock or self._to_dispatch
        return not moving and all(self._exchanges.values())

    async def until_settled(self) -> None:
        """Wait until every order and exchange has come to its end."""
        while not self.is_settled:
            self._news.clear()
            await self._news.wait()

    @property
    def tally(self) -> Tally:
        ends = [order.end for order in self.orders.values()]
        seconds = sorted(self._seconds)
        return Tally(
            placed=len(ends),
            completed=ends.count("completed"),
            compensated=ends.count("compensated"),
            failed=ends.count("failed"),
            running=ends.count(""),
            delivered=sum(order.status == "delivered" for order in self.orders.values()),
            returns=self._returns,
            exchanges=len(self._exchanges),
            retries=self._retries,
            p50_seconds=_percentile(seconds, 0.5),
            p99_seconds=_percentile(seconds, 0.99),
        )


_NOBODY = asyncio.Event()


def _percentile(ordered: list[float], share: float) -> float | None:
    return ordered[ceil(len(ordered) * share) - 1] if ordered else None
