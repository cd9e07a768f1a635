"""Where the API listens: taken first, so that a taken port is known before anything starts."""

import socket

from infrastructure.processes import Hindrance


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is any free one. Raises :class:`Hindrance`."""
    try:
        (family, *_, address), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise Hindrance(
            f"cannot listen on {host}:{port} ({error.strerror}): "
            "set HTTP_PORT (0: any free one) or HTTP_HOST to something else"
        ) from error


def url(listener: socket.socket) -> str:
    """Where that is, for a client on this machine."""
    host, port = listener.getsockname()[:2]
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{here}]' if ':' in here else here}:{port}"
