"""A node as a child process: started, waited for, stopped. Imports nothing of gRPC."""

import asyncio
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

_MODULE: Final = "embedded_eventstoredb"
_START_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 4.0  # then it is killed, and loses nothing by that
_PORT: Final = re.compile(r":(\d+)(?:,|\?|$)")  # the first one in a connection string
_ENDED: Final = "the process of the node has ended"


class NodeFailed(Exception):
    """The node did not start; the text is what it said."""


class NodeProcess:
    """An embedded node. It ends with this process, whatever this process dies of.

    Usable from plain and from asyncio code: ``with NodeProcess() as node`` or ``async with``.
    """

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
        """Without a data directory nothing is kept; port 0 is any free one.

        Without ``projections`` the system projections wait to be enabled. ``tls`` is encrypted,
        with users. ``cluster`` is three members, of which one leads: followers are ``follower_lag``
        seconds behind, and an election takes ``election_time``. ``max_append_size`` is in bytes of
        data. With ``http_port`` (0 is any free one) it answers over HTTP as well, at ``http``.
        ``pool`` is for NodePool.
        """
        directory = [] if data_dir is None else ["--data-dir", str(data_dir.absolute())]
        listen = ["--host", host, "--port", str(port), "--max-append-size", str(max_append_size)]
        flags = {"--no-projections": not projections, "--tls": tls, "--cluster": cluster}
        flags["--pool"] = pool
        times = ["--follower-lag", str(follower_lag), "--election-time", str(election_time)]
        http = [] if http_port is None else ["--http-port", str(http_port)]
        options = [
            "--with-parent",
            *http,
            *times,
            *(flag for flag, wanted in flags.items() if wanted),
        ]
        self._command = [sys.executable, "-m", _MODULE, *directory, *listen, *options]
        self._process: subprocess.Popen[bytes] | None = None
        self._asking = threading.Lock()
        self._uri = self._http = ""

    @property
    def http(self) -> str:
        """Where it answers over HTTP, as ``http://host:port``."""
        if not self._http:
            raise NodeFailed("the node does not answer over HTTP; start it with an http_port")
        return f"http://{self._http}"

    @property
    def uri(self) -> str:
        """The connection string: ``esdb://host:port?Tls=false``, or all that TLS needs."""
        if not self._uri:
            raise NodeFailed("the node is not running; start it first")
        return self._uri

    @property
    def targets(self) -> list[str]:
        """Where its members listen, each ``host:port``; one, unless it is a cluster."""
        return self.uri.rpartition("@")[2].removeprefix("esdb://").partition("?")[0].split(",")

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def ended(self) -> bool:
        """Whether its process has ended by itself, or was killed by somebody else."""
        return self._process is not None and self._process.poll() is not None

    def start_again(self) -> Self:
        """Start it on the port that it had. Raises NodeFailed."""
        if had := _PORT.search(self._uri):
            self._command[self._command.index("--port") + 1] = had[1]
        self.kill()
        return self.start()

    def start(self) -> Self:
        """Start, and return when it listens. Raises NodeFailed."""
        with tempfile.TemporaryFile() as errors:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,  # closed by our death: the node's sign to end
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=Path(__file__).parents[1],
                env={"MALLOC_ARENA_MAX": "1", **os.environ},  # a third less memory, no slower
                start_new_session=True,  # Ctrl-C is for us, we stop the node when we are done
            )
            line = _first_line(self._process)
            if not line.startswith("ready "):
                self.kill()
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip()
                raise NodeFailed(said or f"the node did not start in {_START_SECONDS:.0f} s")
        self._uri, _, self._http = line.removeprefix("ready ").strip().partition(" http://")
        return self

    def wait(self, seconds: float | None = None) -> int:
        """Wait for it to end by itself; its exit code. Raises subprocess.TimeoutExpired."""
        return self._running().wait(seconds)

    def stop(self) -> None:
        """End it and wait until it has ended. Stopping twice is no fault."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        self.kill()

    def ask(self, line: str) -> str:
        """Send the process a command; what it answers after ``ready``. Raises NodeFailed."""
        with self._asking:
            self.tell(line)
            answer = _first_line(self._running())
        if not answer.startswith("ready "):
            raise NodeFailed(answer.removeprefix("failed: ").strip() or _ENDED)
        return answer.removeprefix("ready ").strip()

    def tell(self, line: str) -> None:
        """Tell the process something. Raises NodeFailed when it has ended."""
        stdin = self._running().stdin
        assert stdin is not None  # it was started with a pipe
        try:
            stdin.write(f"{line}\n".encode())
            stdin.flush()
        except (OSError, ValueError) as error:
            raise NodeFailed(_ENDED) from error

    def leader(self, within: float = 60.0) -> str:
        """The ``host:port`` of the member that leads, as soon as one leads and takes writes.

        Raises NodeFailed when none does within so many seconds.
        """
        deadline = time.monotonic() + within
        while True:
            try:
                return self.ask("leader")
            except NodeFailed:
                if self.ended or time.monotonic() > deadline:
                    raise
            time.sleep(0.01)

    def step_down(self) -> None:
        """Have the next member of the cluster elected: it leads a third of a second from now."""
        self._running().send_signal(signal.SIGUSR1)

    def take_down(self, target: str) -> None:
        """Lose the member of the cluster at that ``host:port``, as if it had been killed.

        Where it led, the others elect a new leader from then on. Raises NodeFailed.
        """
        self.ask(f"down {target}")

    def bring_back(self, target: str) -> None:
        """Have a lost member again; it listens when this returns. Raises NodeFailed."""
        self.ask(f"up {target}")

    @contextmanager
    def lost(self, target: str) -> Iterator[None]:
        """Lose that member for as long as the context lasts. Raises NodeFailed."""
        self.take_down(target)
        try:
            yield
        finally:
            self.bring_back(target)

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        process = self._running()
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        self._uri = self._http = ""

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise NodeFailed("the node is not running; start it first")
        return self._process

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)


def _first_line(process: subprocess.Popen[bytes]) -> str:
    """What it prints first; nothing when it ends or the time is up."""
    assert process.stdout is not None  # it was started with a pipe
    deadline = time.monotonic() + _START_SECONDS
    line = b""
    while not line.endswith(b"\n"):
        left = max(0.0, deadline - time.monotonic())
        if not select.select([process.stdout], [], [], left)[0]:
            break
        part = os.read(process.stdout.fileno(), 4096)
        if not part:
            break
        line += part
    return line.decode(errors="replace")
