"""Orders and stock as users of the ``eventsourcing`` library write them; see ``postgres_store.py``.

What may happen, and when it is refused, is as in ``domain/``, as far as the benchmark goes. The
library is synchronous, so that many clients are threads; its pool has as many connections as ours.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypedDict
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from tests.shop.benchmarks import peer

POOL: Final = {"POSTGRES_POOL_SIZE": "10", "POSTGRES_MAX_OVERFLOW": "0"}
COMMANDS: Final = 4  # of each order
LONG: Final = 1_000  # events


class Line(TypedDict):
    sku: str
    description: str
    quantity: int
    unit_price: Decimal
    currency: str


LINES: Final[Sequence[Line]] = [
    {
        "sku": sku,
        "description": description,
        "quantity": 6,
        "unit_price": Decimal("2.55"),
        "currency": "GBP",
    }
    for sku, description in (("85123A", "WHITE HANGING HEART"), ("71053", "WHITE METAL LANTERN"))
]


class Order(Aggregate):
    """placed → confirmed → shipped → delivered."""

    @event("Placed")
    def __init__(self, customer_id: str, country: str, lines: Sequence[Line]) -> None:
        self.customer_id, self.country, self.lines = customer_id, country, lines
        self.status = "placed"

    def confirm(self) -> None:
        self._require("placed")
        self._confirmed()

    def ship(self, shipment_id: str) -> None:
        self._require("confirmed")
        self._shipped(shipment_id)

    def deliver(self) -> None:
        self._require("shipped")
        self._delivered()

    def _require(self, status: str) -> None:
        if self.status != status:
            raise ValueError(f"the order is {self.status}, not {status}")

    @event("Confirmed")
    def _confirmed(self) -> None:
        self.status = "confirmed"

    @event("Shipped")
    def _shipped(self, shipment_id: str) -> None:
        self.status, self.shipment_id = "shipped", shipment_id

    @event("Delivered")
    def _delivered(self) -> None:
        self.status = "delivered"


class StockItem(Aggregate):
    """A receipt that comes twice changes nothing."""

    @event("Created")
    def __init__(self, sku: str) -> None:
        self.sku, self.on_hand = sku, 0
        self.receipts: dict[str, int] = {}

    def receive(self, receipt_id: str, quantity: int) -> None:
        if receipt_id not in self.receipts:
            self._received(receipt_id, quantity)

    @event("Received")
    def _received(self, receipt_id: str, quantity: int) -> None:
        self.receipts[receipt_id] = quantity
        self.on_hand += quantity


class Shop(Application[Any]):
    """One method for each command."""

    def place(self) -> UUID:
        order = Order("17850", "United Kingdom", LINES)
        self.save(order)
        id: UUID = order.id
        return id

    def confirm(self, id: UUID) -> None:
        order = self.repository.get(id)
        order.confirm()
        self.save(order)

    def ship(self, id: UUID, shipment_id: str) -> None:
        order = self.repository.get(id)
        order.ship(shipment_id)
        self.save(order)

    def deliver(self, id: UUID) -> None:
        order = self.repository.get(id)
        order.deliver()
        self.save(order)

    def receive(self, sku: str, receipts: Sequence[str]) -> UUID:
        """All in one transaction: only reading them is measured."""
        item = StockItem(sku)
        for receipt_id in receipts:
            item.receive(receipt_id, 1)
        self.save(item)
        id: UUID = item.id
        return id


@contextmanager
def shop(uri: str) -> Iterator[Shop]:
    with Shop(env={**peer.in_postgres(uri), **POOL}) as shop:
        yield shop


def commands(clients: int, orders: int, uri: str) -> float:
    """Commands a second, of so many clients with so many orders each."""
    with shop(uri) as app, ThreadPoolExecutor(clients) as threads:
        list(threads.map(partial(fulfil, app), [1] * clients))
        started = time.perf_counter()
        list(threads.map(partial(fulfil, app), [orders] * clients))
        return clients * orders * COMMANDS / (time.perf_counter() - started)


def fulfil(app: Shop, orders: int) -> None:
    for _ in range(orders):
        id = app.place()
        app.confirm(id)
        app.ship(id, "shipment-1")
        app.deliver(id)


def loaded(uri: str) -> float:
    """Events a second: read, and folded into the aggregate."""
    with shop(uri) as app:
        id = app.receive("mug", [f"r-{number}" for number in range(LONG - 1)])
        return LONG / min(seconds(app, id) for _ in range(5))


def seconds(app: Shop, id: UUID) -> float:
    started = time.perf_counter()
    item: Any = app.repository.get(id)
    assert item.version == LONG
    return time.perf_counter() - started


def projected(uri: str) -> float:
    """Events a second, out of PostgreSQL and into it."""
    return peer.theirs(uri, {**peer.in_postgres(uri), **POOL})
