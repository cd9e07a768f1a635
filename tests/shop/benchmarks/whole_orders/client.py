"""A lean HTTP/1.1 client, so that what is measured is the service: some 0.1 ms for a request."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final, Self, cast
from urllib.parse import urlsplit

_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\ncontent-length:"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    head: bytes
    body: bytes


class Unanswered(Exception):
    """The connection was closed before the answer was whole."""


class _Connection(asyncio.Protocol):
    """Sends one request at a time."""

    def __init__(self) -> None:
        self._received = b""
        self._awaited: asyncio.Future[Answer] | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def open(self) -> bool:
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _: Exception | None) -> None:
        self._transport = None
        if self._awaited and not self._awaited.done():
            self._awaited.set_exception(Unanswered("the connection was closed"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(_END)
        if not end or not self._awaited:
            return
        found = head.lower().find(_LENGTH)
        length = 0 if found < 0 else int(head[found + len(_LENGTH) :].split(b"\r\n", 1)[0])
        if len(body) >= length and not self._awaited.done():
            self._received = b""
            self._awaited.set_result(Answer(int(head[9:12]), head, body))

    async def send(self, request: bytes) -> Answer:
        if self._transport is None:
            raise Unanswered("the connection was closed")
        self._awaited = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._awaited

    def close(self) -> None:
        if self._transport:
            self._transport.close()


class Client:
    """Requests to one server; connections are kept, and as many are opened as are needed."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._authority = f"{self._host}:{self._port}"
        self._idle: deque[_Connection] = deque()

    async def get(self, path: str) -> Answer:
        """Raises :class:`Unanswered`."""
        return await self._send(f"GET {path} HTTP/1.1\r\nHost: {self._authority}\r\n\r\n".encode())

    async def post(self, path: str, body: str, key: str) -> Answer:
        """``key``: its Idempotency-Key. Raises :class:`Unanswered`."""
        data = body.encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._authority}\r\nIdempotency-Key: {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        return await self._send(head.encode() + data)

    async def _send(self, request: bytes) -> Answer:
        connection = await self._connected()
        answer = await connection.send(request)
        self._idle.append(connection)
        return answer

    async def _connected(self) -> _Connection:
        while self._idle:
            if (connection := self._idle.pop()).open:
                return connection
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, self._host, self._port)
        return connection

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self._idle:
            connection.close()
