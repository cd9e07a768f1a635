"""The order flow as a user of the ``eventsourcing`` library writes it; see ``peer_orders.py``.

    python -m tests.shop.benchmarks.peer_orders_there api|runner URI PORT

The API is FastAPI over the library's application. Its functions are synchronous, since the library
is, so FastAPI runs them in threads. The read model is filled by the library's own runner.
"""

import sys
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import uvicorn
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from fastapi import FastAPI, HTTPException, Response, status
from psycopg.sql import SQL, Identifier

from infrastructure.shop.http.orders import NewOrder
from tests.shop.benchmarks import peer
from tests.shop.benchmarks.peer_store import POOL, Line, Order, Shop


class Orders(Shop):
    """Orders with the lines of a request."""

    def place_order(self, body: NewOrder) -> UUID:
        lines: list[Line] = [
            {
                "sku": line.sku,
                "description": line.description or "",
                "quantity": line.quantity,
                "unit_price": line.unit_price.amount,
                "currency": line.unit_price.currency,
            }
            for line in body.lines
        ]
        order = Order(body.customer_id or "", body.country or "", lines)
        self.save(order)
        id: UUID = order.id
        return id


class Summaries(PostgresTrackingRecorder):
    """The view: a row for each order."""

    def __init__(self, datastore: PostgresDatastore, **options: Any) -> None:
        super().__init__(datastore, **options)
        table = Identifier(datastore.schema), Identifier("peer_orders")
        self.sql_create_statements.append(SQL(_TABLE).format(*table))
        self._insert, self._update, self._select = (
            SQL(sql).format(*table) for sql in (_INSERT, _UPDATE, _SELECT)
        )

    def placed(self, event: Any, tracking: Tracking) -> None:
        total = sum((Decimal(x["quantity"]) * x["unit_price"] for x in event.lines), Decimal())
        units = sum(line["quantity"] for line in event.lines)
        row = (event.originator_id, event.customer_id, event.country, units, total)
        self._write(self._insert, row, tracking)

    def now(self, order: UUID, status: str, tracking: Tracking) -> None:
        self._write(self._update, (status, order), tracking)

    def _write(self, statement: Any, row: tuple[object, ...], tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(statement, row, prepare=True)

    def order(self, id: UUID) -> dict[str, Any] | None:
        with self.datastore.transaction() as cursor:
            found: dict[str, Any] | None = cursor.execute(self._select, (id,)).fetchone()
        return found


class OrderSummaries(Projection[Summaries]):
    """Each event in one transaction with its position."""

    name = "summaries"

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        match domain_event:
            case Order.Placed():
                self.view.placed(domain_event, tracking)
            case Order.Confirmed():
                self.view.now(domain_event.originator_id, "confirmed", tracking)
            case Order.Shipped():
                self.view.now(domain_event.originator_id, "shipped", tracking)
            case Order.Delivered():
                self.view.now(domain_event.originator_id, "delivered", tracking)


def api(uri: str) -> FastAPI:
    """The same paths as ours."""
    app, shop = FastAPI(), Orders(env=settings(uri))
    view = Summaries(PostgresDatastore(**datastore(uri)))
    view.create_table()

    @app.get("/health/ready")
    def ready() -> None: ...

    @app.post("/orders", status_code=status.HTTP_201_CREATED)
    def place(body: NewOrder, response: Response) -> dict[str, str]:
        id = str(shop.place_order(body))
        response.headers["Location"] = f"/orders/{id}"
        return {"id": id}

    @app.post("/orders/{id}/confirmation")
    def confirm(id: UUID) -> None:
        shop.confirm(id)

    @app.post("/orders/{id}/shipment")
    def ship(id: UUID) -> None:
        shop.ship(id, "shipment-1")

    @app.post("/orders/{id}/delivery")
    def deliver(id: UUID) -> None:
        shop.deliver(id)

    @app.get("/orders/{id}")
    def order(id: UUID) -> dict[str, Any]:
        if (found := view.order(id)) is None:
            raise HTTPException(status.HTTP_404_NOT_FOUND)
        return found

    return app


def settings(uri: str) -> dict[str, str]:
    """For its application, and for its view."""
    return {**peer.in_postgres(uri), **POOL, **peer.in_postgres(uri, "SUMMARIES_")}


def datastore(uri: str) -> dict[str, Any]:
    names = {"dbname", "host", "port", "user", "password", "schema"}
    found = {
        name.removeprefix("POSTGRES_").lower(): value
        for name, value in peer.in_postgres(uri).items()
    }
    return {name: value for name, value in found.items() if name in names}


def run(uri: str) -> None:
    """Fill the read model until this process is ended."""
    with ProjectionRunner(
        application_class=Orders,
        projection_class=OrderSummaries,
        view_class=Summaries,
        env=settings(uri),
    ) as runner:
        print("ready", flush=True)
        runner.run_forever()


_TABLE: Final = """
CREATE TABLE IF NOT EXISTS {}.{} (
    id uuid PRIMARY KEY, customer_id text NOT NULL, country text NOT NULL, units bigint NOT NULL,
    total numeric NOT NULL, status text NOT NULL)
"""
_INSERT: Final = "INSERT INTO {}.{} VALUES (%s, %s, %s, %s, %s, 'placed')"
_UPDATE: Final = "UPDATE {}.{} SET status = %s WHERE id = %s"
_SELECT: Final = "SELECT * FROM {}.{} WHERE id = %s"


if __name__ == "__main__":
    what, address, at = sys.argv[1:]
    if what == "runner":
        run(address)
    else:
        uvicorn.run(api(address), port=int(at), log_level="warning", access_log=False)
