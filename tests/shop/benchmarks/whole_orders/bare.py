"""FastAPI with the models of the shop and no store: ``python -m ….bare PORT``.

What accepting an order cannot cost less than, on this machine and with these libraries. With the
address of a store behind the port, each order is written there, and nothing else is done: to
PostgreSQL by one ``INSERT``, to EventStoreDB by one append.
"""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Final
from uuid import uuid4

import uvicorn
from esdbclient import AsyncEventStoreDBClient, NewEvent, StreamState
from fastapi import FastAPI, Request, Response, status
from psycopg_pool import AsyncConnectionPool

from application.shop.read_models.order_summary import OrderSummary
from infrastructure.http.commands import Done
from infrastructure.shop.http.orders import NewOrder

Write = Callable[[str, str], Awaitable[object]]
"""Writes an order with this id and content."""


def app(opening: Callable[[], AbstractAsyncContextManager[Write]] | None = None) -> FastAPI:
    """Places nothing, but for what ``opening`` gives, and shows the orders that were put there."""
    written: list[Write] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if opening is None:
            yield
            return
        async with opening() as write:
            written.append(write)
            yield

    bare = FastAPI(lifespan=lifespan)
    shown: dict[str, OrderSummary] = {}

    @bare.post("/orders", status_code=status.HTTP_201_CREATED)
    async def place_order(body: NewOrder, response: Response) -> Done:
        id = str(uuid4())
        for write in written:
            await write(id, body.model_dump_json())
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


@asynccontextmanager
async def rows(uri: str) -> AsyncIterator[Write]:
    """Each order is a row in PostgreSQL."""
    made = {"autocommit": True}
    async with AsyncConnectionPool(uri, min_size=10, max_size=10, open=False, kwargs=made) as pool:
        async with pool.connection() as connection:
            await connection.execute(_TABLE)

        async def insert(id: str, content: str) -> None:
            async with pool.connection() as connection:
                await connection.execute(_INSERT, [id, content], prepare=True)

        yield insert


@asynccontextmanager
async def streams(uri: str) -> AsyncIterator[Write]:
    """Each order is a stream in EventStoreDB."""
    client = AsyncEventStoreDBClient(uri)
    await client.connect()

    async def append(id: str, content: str) -> None:
        event = NewEvent(type="OrderPlaced", data=content.encode())
        await client.append_to_stream(
            f"bare-{id}", current_version=StreamState.NO_STREAM, events=event
        )

    try:
        yield append
    finally:
        await client.close()


_TABLE: Final = "CREATE TABLE IF NOT EXISTS bare_orders (id text PRIMARY KEY, content jsonb)"
_INSERT: Final = "INSERT INTO bare_orders VALUES (%s, %s)"


def _main(port: str, uri: str | None = None) -> None:
    opening = None
    if uri is not None:
        opening = partial(streams if uri.startswith("esdb") else rows, uri)
    uvicorn.run(app(opening), port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    _main(*sys.argv[1:])
