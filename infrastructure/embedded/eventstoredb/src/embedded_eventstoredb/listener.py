"""gRPC servers with the node's options."""

import os
import socket
from contextlib import suppress
from typing import Any, Final

import grpc

from embedded_eventstoredb.message_limit import RECEIVED

_OPTIONS: Final = (
    ("grpc.so_reuseport", 0),  # otherwise a second node could share the port
    ("grpc.max_receive_message_length", RECEIVED),
    ("grpc.keepalive_time_ms", 10_000),  # as the server: a silent client is dropped within 20 s
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_ping_strikes", 0),  # clients ping as often as their connection string says
)


class PortUnavailable(Exception):
    """The node cannot listen there; the text says where and what to do."""


class CertificatesUnavailable(Exception):
    """The node has no certificate; the text says why and what to do."""


class Listener:
    """A port. It is bound by the constructor and answers from ``start`` on."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        credentials: grpc.ServerCredentials | None = None,
    ) -> None:
        """Port 0 is any free one; without credentials it is insecure. Raises PortUnavailable."""
        self._server = grpc.aio.server(options=_OPTIONS)
        address = f"{host}:{port}"
        try:
            if credentials is None:
                self.port = self._server.add_insecure_port(address)
            else:
                self.port = self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise PortUnavailable(
                f"cannot listen on {address}: another program may hold it; "
                "stop that one or give another port (0 is any free one)"
            ) from error

    async def start(self, calls: "grpc.GenericRpcHandler[Any, Any]") -> None:
        self._server.add_generic_rpc_handlers((calls,))
        await self._server.start()

    async def stop(self, grace: float) -> None:
        """End the calls that are open."""
        await self._server.stop(grace)

    async def cut(self) -> None:
        """End as a killed process does: connections break without a GOAWAY of gRPC."""
        for number in os.listdir("/dev/fd"):
            with suppress(OSError):  # not a socket, or just closed
                _close_if_at(self.port, os.dup(int(number)))
        await self._server.stop(0)


def _close_if_at(port: int, descriptor: int) -> None:
    """Close a connection or listening socket whose local port this is. Closes the descriptor."""
    try:
        near = socket.socket(fileno=descriptor)
    except OSError:
        os.close(descriptor)
        raise
    with near:
        if near.family in (socket.AF_INET, socket.AF_INET6) and near.getsockname()[1] == port:
            near.shutdown(socket.SHUT_RDWR)
