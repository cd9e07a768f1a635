"""TLS in front of a server that has none: it ends the encryption, and passes the bytes on.

What clients check of a certificate, and what they present themselves, is the same as with a server
that encrypts by itself.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.servers.certificates import Issued
from tests.silent_proxy import SilentProxy, Streams

Greeting = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def tcp(address: str) -> Callable[[], Awaitable[Streams]]:
    """Opens connections to ``host:port``."""
    host, _, port = address.rpartition(":")
    return lambda: asyncio.open_connection(host, int(port))


@asynccontextmanager
async def tls_front(
    reach: Callable[[], Awaitable[Streams]],
    shown: Issued,
    *,
    clients_of: Path | None = None,
    greeting: Greeting | None = None,
) -> AsyncIterator[int]:
    """The port on 127.0.0.1 where a server that ``reach`` connects to answers by TLS.

    ``shown``: its certificate. ``clients_of``: the authority of the certificates that clients have
    to present. ``greeting``: what is said before TLS begins; without it, TLS is all there is.
    """
    context = server_context(shown, clients_of)
    proxy = SilentProxy(reach)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if greeting is not None:
            try:
                await greeting(reader, writer)
                await writer.start_tls(context)
            except OSError:  # the client does not trust us
                writer.close()
                return
        proxy.accept(reader, writer)

    at_once = context if greeting is None else None
    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=at_once)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in proxy.serving:
            task.cancel()
        await asyncio.gather(*proxy.serving, return_exceptions=True)


def server_context(shown: Issued, clients_of: Path | None = None) -> ssl.SSLContext:
    """How a server speaks TLS that shows this certificate; for gRPC too."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(shown.certificate, shown.key)
    context.set_alpn_protocols(["h2", "http/1.1"])
    if clients_of is not None:
        context.load_verify_locations(clients_of)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
