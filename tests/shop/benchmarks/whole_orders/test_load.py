"""The customers count every answer, and report those that are not what they wanted."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from tests.shop.benchmarks.whole_orders.client import Client
from tests.shop.benchmarks.whole_orders.load import Customers, Load, Task, loaded, printed

PLACED = (
    b"HTTP/1.1 201 Created\r\nLocation: /orders/" + b"o" * 36 + b"\r\ncontent-length: 2\r\n\r\n{}"
)
REFUSED = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
WRONG = b"HTTP/1.1 409 Conflict\r\ncontent-length: 10\r\n\r\nOutOfStock"


@asynccontextmanager
async def answering(answers: Iterator[bytes]) -> AsyncIterator[str]:
    """A server that gives these answers, and hangs up once there are no more."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"}]}") and (answer := next(answers, None)):
            writer.write(answer[:20])  # in two pieces, as TCP may deliver it
            await writer.drain()
            writer.write(answer[20:])
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"


async def placed(*answers: bytes) -> Load:
    """The load of one order more than there are answers."""
    async with answering(iter(answers)) as url, Client(url) as client:
        customers = Customers(client, Task("closed"))
        for _ in range(len(answers) + 1):
            await customers.place(0.0)
        return customers.load


async def test_every_order_is_counted_by_its_answer() -> None:
    """Orders are placed, refused, answered wrongly, or not answered; none is left out."""
    load = await placed(PLACED, REFUSED, WRONG, PLACED)
    assert loaded(printed(load)) == load
    assert (load.placed, load.refused, load.last) == (2, 1, "o" * 36)
    assert load.wrong.pop("409: OutOfStock") == 1
    assert sum(load.wrong.values()) == 1  # the connection was closed
