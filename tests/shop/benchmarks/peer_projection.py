"""``stock_levels`` as a user of the ``eventsourcing`` library writes it; see ``peer.py``.

The library's own way: events in its memory recorder, a view that is a tracking recorder in
PostgreSQL, and each event in one transaction with its tracking position.
"""

import gc
import time
from typing import Any

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection
from psycopg.sql import SQL, Identifier

SKUS, EACH = 500, 10


class StockItem(Aggregate):
    """What is there of one SKU."""

    @event("Created")
    def __init__(self, sku: str) -> None:
        self.sku, self.on_hand = sku, 0

    @event("Received")
    def receive(self, sku: str, quantity: int) -> None:
        self.sku, self.on_hand = sku, self.on_hand + quantity


class Stock(Application[Any]):
    """A memory full of receipts, before anyone follows them."""

    def __init__(self, env: Any = None) -> None:
        super().__init__(env)
        for number in range(SKUS):
            item = StockItem(f"sku-{number}")
            for _ in range(EACH):
                item.receive(f"sku-{number}", 1)
            self.last = self.save(item)[-1].notification.id
        gc.freeze()  # as for ours
        self.filled_at = time.perf_counter()


class Levels(PostgresTrackingRecorder):
    """The view: a row for each SKU."""

    def __init__(self, datastore: PostgresDatastore, **options: Any) -> None:
        super().__init__(datastore, **options)
        table = Identifier(datastore.schema), Identifier("peer_levels")
        create = "CREATE TABLE IF NOT EXISTS {}.{} (sku text PRIMARY KEY, on_hand bigint NOT NULL)"
        self.sql_create_statements.append(SQL(create).format(*table))
        self._add = SQL(_ADD).format(*table)
        self._sum = SQL("SELECT sum(on_hand) AS on_hand FROM {}.{}").format(*table)

    def add(self, sku: str, quantity: int, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(self._add, (sku, quantity), prepare=True)

    def on_hand(self) -> int:
        with self.datastore.transaction() as cursor:
            found = cursor.execute(self._sum).fetchone()
        return int(found["on_hand"]) if found else 0


class StockLevels(Projection[Levels]):
    """Only what was received counts."""

    name = "levels"

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        if isinstance(domain_event, StockItem.Received):
            self.view.add(domain_event.sku, domain_event.quantity, tracking)


_ADD = """
INSERT INTO {0}.{1} AS known (sku, on_hand) VALUES (%s, %s)
ON CONFLICT (sku) DO UPDATE SET on_hand = known.on_hand + excluded.on_hand
"""
