"""A node as a child process. Imports nothing of gRPC."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from embedded_eventstoredb.child_process import ChildFailed, ChildProcess

_SOURCE: Final = Path(__file__).parents[1]


class NodeFailed(ChildFailed):
    """The node did not start, has ended or refused a command; the text is the reason."""


class NodeProcess(ChildProcess):
    """A node as a child process. It ends with this process, also if this process is killed.

    Usable from plain and from asyncio code: ``with NodeProcess() as node`` or ``async with``.
    """

    name = "the node"
    failure = NodeFailed
    start_seconds = 20.0

    def __init__(
        self,
        data_dir: Path | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        *,
        projections: bool = True,
        tls: bool = False,
        cluster: bool = False,
        max_append_size: int = 1 << 20,
        follower_lag: float = 0.0,
        election_time: float = 1.25,
        http_port: int | None = None,
        pool: bool = False,
    ) -> None:
        """Without a data directory, events are in memory. Port 0: any free port.

        Without ``projections``, the system projections wait until they are enabled. ``tls``:
        encrypted, with users. ``cluster``: three members, one of which leads; followers are
        ``follower_lag`` seconds behind, and an election takes ``election_time`` seconds.
        ``max_append_size`` is in bytes of data. ``http_port``: also answer over HTTP, at ``http``;
        0 is any free port. ``pool`` is for NodePool.
        """
        options = {
            "--data-dir": None if data_dir is None else data_dir.absolute(),
            "--host": host,
            "--max-append-size": max_append_size,
            "--follower-lag": follower_lag,
            "--election-time": election_time,
            "--http-port": http_port,
        }
        flags = {"--no-projections": not projections, "--tls": tls, "--cluster": cluster}
        flags["--pool"] = pool
        arguments = [
            *(f"{name}={value}" for name, value in options.items() if value is not None),
            *(flag for flag, wanted in flags.items() if wanted),
        ]
        malloc = {"MALLOC_ARENA_MAX": "1"}  # a third less memory, no slower
        super().__init__(
            "embedded_eventstoredb", port, arguments, source=_SOURCE, environment=malloc
        )

    @property
    def uri(self) -> str:
        """The connection string:

        ``esdb://host:port?Tls=false``, or with user and certificate for TLS.
        """
        return self.ready.partition(" http://")[0]

    @property
    def http(self) -> str:
        """The address ``http://host:port``. Raises NodeFailed without an ``http_port``."""
        address = self.ready.partition(" http://")[2]
        if not address:
            raise NodeFailed("the node does not answer over HTTP; start it with an http_port")
        return f"http://{address}"

    @property
    def targets(self) -> list[str]:
        """The addresses ``host:port`` of its members; one, unless it is a cluster."""
        return self.uri.rpartition("@")[2].removeprefix("esdb://").partition("?")[0].split(",")

    def leader(self, within: float = 60.0) -> str:
        """Wait until a member leads and accepts writes. Returns its ``host:port``.

        Raises NodeFailed after ``within`` seconds without a leader.
        """
        deadline = time.monotonic() + within
        while True:
            try:
                return self.request("leader")
            except NodeFailed:
                if self.ended or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)

    def step_down(self) -> None:
        """Make the leader resign: the next member leads after 0.28 ``election_time``."""
        self._running().send_signal(signal.SIGUSR1)

    def take_down(self, target: str) -> None:
        """Stop the member at that ``host:port`` as if it were killed.

        If it was the leader, the others elect a new one. Raises NodeFailed.
        """
        self.request(f"down {target}")

    def bring_back(self, target: str) -> None:
        """Start a stopped member again; it listens when this returns. Raises NodeFailed."""
        self.request(f"up {target}")

    @contextmanager
    def lost(self, target: str) -> Iterator[None]:
        """Stop that member, as if it were killed, for as long as the context lasts.

        Raises NodeFailed.
        """
        self.take_down(target)
        try:
            yield
        finally:
            self.bring_back(target)
