"""What a server is to the tests: how to install it, start it, and ask whether it answers."""

import signal
import socket
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

LOCALHOST = "127.0.0.1"


class NotHere(Exception):
    """This machine cannot have the server. The message says what is missing, and what helps."""


class ServerFailed(Exception):
    """A server did not start. The message ends with the last lines of its log."""


@dataclass(frozen=True)
class Launch:
    """One start, with its ports and its data: started again, the server is where it was."""

    command: Sequence[str]
    address: str
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Server:
    """A server that tests need. Each is a page of this package."""

    name: str
    """As in ``python -m tests.servers start NAME``."""
    variable: str
    """The environment variable with the address of one that runs elsewhere."""
    require: Callable[[], None]
    """Raises ``NotHere`` unless it is installed. Needs no network."""
    install: Callable[[], None]
    """Makes ``require`` pass, or raises ``NotHere``. Does nothing when it is installed."""
    launch: Callable[[Path], Launch]
    """Writes what it needs into an empty directory, and chooses free ports."""
    is_ready: Callable[[str], bool]
    """Whether the server at that address answers a question."""
    settings: Callable[[str], Mapping[str, str]] = lambda _: {}
    """What leads a service to the server at that address."""
    form: str = "http://{}"
    """Its address, by host and port."""
    ends_on: signal.Signals = signal.SIGTERM
    """Ten seconds later it gets SIGKILL."""
    start_seconds: float = 120.0


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that no program listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((LOCALHOST, 0))
        return [int(one.getsockname()[1]) for one in sockets]


def answers(url: str) -> bool:
    """Whether a GET of it is answered with success."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status < 300)
    except OSError:  # all of urllib's errors are
        return False
