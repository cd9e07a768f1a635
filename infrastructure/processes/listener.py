"""The socket of the API. It is opened first, so that a port in use is reported before all else."""

import socket

from infrastructure.processes import CommandFailed
from infrastructure.settings import Settings


def listen(settings: Settings) -> socket.socket:
    """The listening socket of the service; port 0 is any free one. Raises ``CommandFailed``."""
    host, port = settings.http_host, settings.http_port
    try:
        (family, *_, address), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise CommandFailed(
            f"cannot listen on {host}:{port} ({error.strerror}): "
            f"set {settings.name_of('http_port')} (0: any free one) or "
            f"{settings.name_of('http_host')} to another"
        ) from error


def url(listener: socket.socket) -> str:
    """The address of this socket, for a client on this machine."""
    host, port = listener.getsockname()[:2]
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{here}]' if ':' in here else here}:{port}"
