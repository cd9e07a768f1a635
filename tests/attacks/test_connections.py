"""Bytes on a connection that no client of ours would send, to the server as it runs."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from infrastructure.http.server import answering
from tests.sample.client import Bank, bank_over, empty_bank

BODY = b'{"source":"a-1","target":"a-2","amount":3}'


@pytest.fixture
async def address() -> AsyncIterator[tuple[str, int]]:
    """Where a bank listens."""
    async with bank_over(empty_bank()) as bank:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            async with answering(_app(bank), [listener]):
                yield listener.getsockname()


def _app(bank: Bank) -> object:
    return bank.http._transport.app  # type: ignore[attr-defined]  # the one it speaks to


async def sent(address: tuple[str, int], request: bytes) -> bytes:
    """All that the server answers to these bytes, until it closes the connection."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(request)
        await writer.drain()
        async with asyncio.timeout(60):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


SMUGGLED = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 42\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"Content-Length: 0\r\nContent-Length: 42\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: 0x2a\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_no_second_request_is_smuggled_in(address: tuple[str, int], head: bytes) -> None:
    """A request whose length is in doubt is refused, and ends the connection."""
    start = b"POST /transfers HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    answer = await sent(address, start + head + SMUGGLED)
    assert answer.count(b"HTTP/1.1 2") == 0, answer


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /transfers HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 2_000_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 2_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\nSet-Cookie: theirs\r\n\r\n",
        b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x00" * 1000,
    ],
    ids=["header", "path", "headers", "newline", "folded", "TLS", "HTTP2", "nul"],
)
async def test_what_is_no_request_ends_its_connection_alone(
    address: tuple[str, int], request_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused or cut off, and the next client is answered."""
    monkeypatch.setattr("infrastructure.web.connections.Guarded.head_seconds", 1.0)
    answer = await sent(address, request_bytes)
    assert b"HTTP/1.1 2" not in answer
    assert b"theirs" not in answer
    assert (await sent(address, SMUGGLED)).startswith(b"HTTP/1.1 200")
