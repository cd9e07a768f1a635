"""Limits the connections of a server, and the time that it waits for each.

uvicorn waits for the head of a request without a limit, accepts one of any size, and any number of
connections.
"""

import asyncio
import resource
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import ClassVar, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS: Final = 10.0  # for the head of a request, from its first byte or the connection on
READ_SECONDS: Final = 30.0  # in which a client has to read something of its answer
LARGEST_HEAD: Final = 64 * 1024
"""Bytes of a head that is not complete yet; one that comes at once may have some more."""
_BACKLOG: Final = 512  # connections that the kernel queues for us
_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
    b"Content-Length: 0\r\n\r\n"
)
_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n"
    b"Content-Length: 0\r\n\r\n"
)


def most_connections() -> int:
    """Half of the files that this process may open: the rest is for its own servers and data."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1000 if soft == resource.RLIM_INFINITY else min(1000, max(4, soft // 2))


class Guarded(HttpToolsProtocol):
    """One connection. Closed when it sends no request, or reads no answer, for too long, and when
    the head of a request is too large.

    A connection above the limit gets 503 and is closed.
    """

    most: ClassVar[int] = most_connections()
    head_seconds: ClassVar[float] = HEAD_SECONDS
    read_seconds: ClassVar[float] = READ_SECONDS
    _head: int = 0  # bytes of a request that has not begun yet
    _waiting: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.write(_FULL)
            transport.close()
        else:
            self._wait(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._done()
        super().connection_lost(exc)  # which resumes writing

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._head += len(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._head = 0
            self._done()
        elif self._head > LARGEST_HEAD:
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        elif self._waiting is None:
            self._wait(self.head_seconds)

    def on_response_complete(self) -> None:
        self._head = 0
        self._done()  # from here on uvicorn waits, for the next request
        super().on_response_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reading(None)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reading is not None:
            self._reading.cancel()

    def _watch_reading(self, left: int | None) -> None:
        """A client may be slow, as long as it reads something."""
        now = self.transport.get_write_buffer_size()
        if left is not None and now >= left:
            self.transport.abort()
        else:
            self._reading = self.loop.call_later(self.read_seconds, self._watch_reading, now)

    def _wait(self, seconds: float) -> None:
        self._done()
        self._waiting = self.loop.call_later(seconds, self.transport.abort)

    def _done(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class Server(uvicorn.Server):
    """Serves on sockets that listen already, and leaves signals to the process as a whole."""

    def __init__(self, config: uvicorn.Config) -> None:
        config.backlog = 1  # of which asyncio accepts at once: see below
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """The server is not the only thing to stop."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """asyncio tries to accept ``backlog`` times, though no file is left, and logs each failure.

        Hence 1 above; what the kernel holds is another number.
        """
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(_BACKLOG)
