"""FastAPI with the models of the shop and no store: ``python -m ….bare PORT``.

What accepting an order cannot cost less than, on this machine and with these libraries. With the
address of a PostgreSQL behind the port, each order is written there by one ``INSERT``.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import uuid4

import uvicorn
from fastapi import FastAPI, Request, Response, status
from psycopg_pool import AsyncConnectionPool

from application.shop.read_models.order_summary import OrderSummary
from infrastructure.http.commands import Done
from infrastructure.shop.http.orders import NewOrder


def app(pool: AsyncConnectionPool | None = None) -> FastAPI:
    """Places nothing, but for a row by ``pool``, and shows the orders that were put there."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if pool is None:
            yield
            return
        async with pool:
            async with pool.connection() as connection:
                await connection.execute(_TABLE)
            yield

    bare = FastAPI(lifespan=lifespan)
    shown: dict[str, OrderSummary] = {}

    @bare.post("/orders", status_code=status.HTTP_201_CREATED)
    async def place_order(body: NewOrder, response: Response) -> Done:
        id = str(uuid4())
        if pool is not None:
            async with pool.connection() as connection:
                await connection.execute(_INSERT, [id, body.model_dump_json()], prepare=True)
        response.headers["Location"] = f"/orders/{id}"
        return Done(id=id, version=len(body.lines), events=["OrderPlaced"])

    @bare.get("/health/ready")
    async def ready() -> None: ...

    @bare.put("/orders/{order_id}")
    async def show(order_id: str, request: Request) -> None:
        shown[order_id] = OrderSummary.model_validate_json(await request.body())

    @bare.get("/orders/{order_id}")
    async def get_order(order_id: str) -> OrderSummary:
        return shown[order_id]

    return bare


_TABLE: Final = "CREATE TABLE IF NOT EXISTS bare_orders (id text PRIMARY KEY, content jsonb)"
_INSERT: Final = "INSERT INTO bare_orders VALUES (%s, %s)"


def _main(port: str, uri: str | None = None) -> None:
    pool = None
    if uri is not None:
        made = {"autocommit": True}
        pool = AsyncConnectionPool(uri, min_size=10, max_size=10, open=False, kwargs=made)
    uvicorn.run(app(pool), port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    _main(*sys.argv[1:])
