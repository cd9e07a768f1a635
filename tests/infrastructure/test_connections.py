"""Connections: idle ones are closed, their number has a bound, and no file left is no flood."""

import asyncio
import logging
import os
import resource
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from infrastructure.http.app import create_app
from infrastructure.http.middleware import Limited
from infrastructure.http.server import answering
from infrastructure.log_writing import Seldom
from infrastructure.web.connections import Guarded, Server
from tests.sample.client import empty_bank
from tests.waiting import PATIENCE, until

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Hasty(Guarded):
    """As the service has it, with less patience."""

    most = 3
    head_seconds = 0.3
    read_seconds = 0.3
    cut_off = 0

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        Hasty.cut_off += 1


async def hello(scope: Any, receive: Any, send: Any) -> None:
    """Answers; under ``/large`` with more than any buffer holds."""
    body = b"x" * 50_000_000 if scope["path"] == "/large" else b"hello"
    while (await receive()).get("more_body"):
        pass
    length = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def served(app: Any = hello, http: type[Guarded] = Hasty) -> AsyncIterator[tuple[str, int]]:
    """The address of a server of that application."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(
            uvicorn.Config(app, http=http, lifespan="off", log_config=None, timeout_keep_alive=1)
        )
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()
        finally:
            server.should_exit = server.force_exit = True
            await task


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def ended(streams: Streams) -> bytes:
    """All that still came, once the server has closed the connection."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await streams[0].read()
    except ConnectionResetError:
        return b""
    finally:
        streams[1].close()


@pytest.mark.parametrize("sent", [b"", b"GET / HT", GET[:-2], GET + b"GET / HTTP/1.1\r\nHo", GET])
async def test_a_connection_that_asks_nothing_is_closed(sent: bytes) -> None:
    """Never a byte, half a head, half a head after a request, and nothing after a request."""
    async with served() as address:
        streams = await asyncio.open_connection(*address)
        streams[1].write(sent)

        assert (await ended(streams)).count(b"hello") == (1 if GET in sent else 0)


async def test_a_head_that_comes_a_byte_at_a_time_is_cut_off() -> None:
    """Bytes win no time: the head has to be whole."""
    async with served() as address:
        streams = await asyncio.open_connection(*address)

        async def drip() -> None:
            for _ in range(10_000):
                streams[1].write(b"GET / HTTP/1.1\r\nX: " if not _ else b"x")
                await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        await ended(streams)
        dripping.cancel()


async def test_who_takes_no_answer_is_cut_off() -> None:
    """An answer that waits for its client holds a connection, and its memory."""
    async with served() as address:
        before = Hasty.cut_off
        with socket.create_connection(address) as client:
            client.sendall(GET.replace(b"/ ", b"/large "))
            await until(lambda: Hasty.cut_off > before)


async def test_one_connection_too_many_is_told_so() -> None:
    """503 at once, while those that are there go on; there is room again when one leaves."""

    class Few(Guarded):
        most = 3

    async with served(http=Few) as address:
        held = [await asyncio.open_connection(*address) for _ in range(3)]
        for streams in held:
            streams[1].write(GET)
            assert b"200 OK" in await streams[0].readuntil(b"hello")

        assert b"503" in await ended(await asyncio.open_connection(*address))

        held[0][1].close()
        await held[0][1].wait_closed()
        async with asyncio.timeout(PATIENCE):
            while True:
                streams = await asyncio.open_connection(*address)
                streams[1].write(GET + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
                if b"200 OK" in await ended(streams):
                    break


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    """408, and the connection is closed."""
    async with served(Limited(hello, patience=0.2), http=Guarded) as address:
        streams = await asyncio.open_connection(*address)
        streams[1].write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")

        assert b"HTTP/1.1 408" in await ended(streams)


async def test_a_body_of_many_small_parts_is_read_in_time() -> None:
    """What is counted anew for each part would take minutes."""
    async with served(Limited(hello), http=Guarded) as (host, port):

        async def parts() -> AsyncIterator[bytes]:
            for _ in range(20_000):
                yield b"x" * 40

        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            answer = await client.post(f"http://{host}:{port}/", content=parts())
        assert answer.text == "hello"


_NO_FILES = """
import asyncio, logging, resource, socket, sys
from tests.infrastructure.test_connections import served, Hasty
from infrastructure.web.connections import Guarded

async def main():
    class Many(Guarded):
        most = 10_000
    async with served(http=Many) as (host, port):
        print(port, flush=True)
        await asyncio.sleep(3)

logging.basicConfig(stream=sys.stderr)
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
asyncio.run(main())
"""


async def test_running_out_of_files_does_not_flood_the_log() -> None:
    """A line a second, not two thousand that multiply."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _NO_FILES,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert process.stdout
    port = int(await process.stdout.readline())
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    _, logged = await process.communicate()
    for one in held:
        one.close()

    assert 1 <= logged.count(b"out of system resource") < 10


def test_what_a_library_says_again_and_again_is_counted() -> None:
    """The first at once, then how many there were meanwhile; what differs is said."""
    seldom = Seldom(pause=0.2)

    def said(message: str, name: str = "uvicorn.error") -> logging.LogRecord | None:
        record = logging.makeLogRecord({"name": name, "msg": message})
        return record if seldom.filter(record) else None

    assert said("invalid request")
    assert [said("invalid request") for _ in range(100)] == [None] * 100
    assert said("another")
    assert all(said("ours", "infrastructure.http.middleware") for _ in range(3))
    seldom._said = {key: (at - 1, times) for key, (at, times) in seldom._said.items()}
    again = said("invalid request")
    assert again is not None
    assert again.getMessage() == "invalid request (and 100 times more before)"


def test_half_of_the_files_are_for_connections() -> None:
    """The service needs files of its own, or nobody is served."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)

    assert 4 <= Guarded.most <= max(4, soft // 2)


async def test_the_service_is_guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its application is served by such connections: a silent one does not stay."""
    monkeypatch.setattr(Guarded, "head_seconds", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        async with answering(create_app(empty_bank()), [listener]):
            assert await ended(await asyncio.open_connection(*address)) == b""
            async with httpx.AsyncClient(trust_env=False) as client:
                uri = f"http://127.0.0.1:{address[1]}/health/live"
                assert (await client.get(uri, timeout=PATIENCE)).status_code == 200
