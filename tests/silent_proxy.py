"""A network that drops everything on the connections that are open, and says so to nobody.

New connections work: so does a firewall that forgets, or a machine that fails over.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class SilentProxy:
    """Passes bytes on, until ``fall_silent``: from then on only for connections made later."""

    def __init__(self, reach: Callable[[], Awaitable[Streams]]) -> None:
        """``reach`` opens a connection to the server."""
        self._reach, self._generation = reach, 0
        self.connections = 0
        self.serving: set[asyncio.Task[None]] = set()

    def fall_silent(self) -> None:
        """Drop all that is sent on the connections there are, in both directions."""
        self._generation += 1

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client, as ``asyncio.start_server`` hands it over."""
        self.connections += 1
        self.serving.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        generation = self._generation
        server_reader, server_writer = await self._reach()
        try:
            await asyncio.gather(
                self._pass_on(reader, server_writer, generation),
                self._pass_on(server_reader, writer, generation),
            )
        finally:
            for end in (writer, server_writer):
                end.close()

    async def _pass_on(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, generation: int
    ) -> None:
        with suppress(ConnectionError):
            while data := await source.read(1 << 16):
                if generation == self._generation:
                    target.write(data)
                    await target.drain()
            if generation == self._generation:
                target.close()


@asynccontextmanager
async def silent_proxy(
    reach: Callable[[], Awaitable[Streams]],
) -> AsyncIterator[tuple[SilentProxy, int]]:
    """A proxy to that server, and the port on this machine where it listens."""
    proxy = SilentProxy(reach)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    try:
        yield proxy, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in proxy.serving:
            task.cancel()
        await asyncio.gather(*proxy.serving, return_exceptions=True)
