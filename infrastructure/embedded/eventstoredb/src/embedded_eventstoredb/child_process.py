"""A server as a child process: started, waited for, stopped. It ends when its parent ends."""

import asyncio
import os
import re
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

_READY: Final = "ready "
_PORT: Final = re.compile(r":(\d+)(?:,|\?|$)")  # the first one in an address


class ChildFailed(Exception):
    """The process did not start, or has ended; the text is the reason that it printed."""


class ChildProcess:
    """A Python module that runs as a server in a child process. The module keeps this contract:

    - It is given ``--port PORT``, 0 for any free one, and ``--with-parent``.
    - It prints one line, ``ready ADDRESS``, when it answers requests. If it cannot start, it prints
      the reason on stderr and exits.
    - It ends on SIGTERM, and when its standard input is closed, as it is when the parent dies.

    Usable from plain and from asyncio code: ``with`` starts and stops it, and so does
    ``async with``, without holding up the event loop.
    """

    name = "the process"
    """The subject of its error messages."""

    failure: type[ChildFailed] = ChildFailed
    """The exception that all methods raise."""

    start_seconds = 30.0
    stop_seconds = 4.0
    """``stop`` kills the process after this many seconds."""

    def __init__(
        self,
        module: str,
        port: int,
        options: Sequence[str],
        *,
        source: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """``source`` is the directory to import the module from, if Python does not know it.

        ``environment`` has defaults: the variables of this process take precedence.
        """
        self._module, self._port, self._options = module, port, options
        self._source = source
        self._environment = {**(environment or {}), **os.environ}
        self._process: subprocess.Popen[bytes] | None = None
        self._requesting = threading.Lock()
        self._printed = ""

    @property
    def ready(self) -> str:
        """What the process printed after ``ready``. Raises ``failure`` if it does not run."""
        if not self._printed:
            raise self._not_running()
        return self._printed

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def ended(self) -> bool:
        """Whether the process has ended without ``stop`` or ``kill``."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> Self:
        """Start, and return when it answers. Raises ``failure``."""
        with tempfile.TemporaryFile() as errors:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.PIPE,  # closed when this process dies: then the child ends
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=self._source,
                env=self._environment,
                start_new_session=True,  # Ctrl-C must not reach the child: its parent stops it
            )
            line = self._next_line()
            if not line.startswith(_READY):
                self.kill()
                errors.seek(0)
                reason = errors.read().decode(errors="replace").strip()
                raise self.failure(
                    reason or f"{self.name} did not start in {self.start_seconds:.0f} s"
                )
        self._printed = line.removeprefix(_READY).strip()
        return self

    def start_again(self) -> Self:
        """Start on the port that it had, after it has ended or was killed. Raises ``failure``."""
        if had := _PORT.search(self._printed.partition(" ")[0]):
            self._port = int(had[1])
        self.kill()
        return self.start()

    def wait(self, seconds: float | None = None) -> int:
        """Wait until it ends by itself. Returns its exit code. Raises subprocess.TimeoutExpired."""
        return self._running().wait(seconds)

    def stop(self) -> None:
        """End it, and wait until it has ended. Stopping twice does no harm."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(self.stop_seconds)
        self.kill()

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        process = self._running()
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        self._printed = ""

    def request(self, line: str) -> str:
        """Send a line.

        Returns what the process prints after ``ready`` in answer. Raises ``failure``.
        """
        with self._requesting:
            self.send(line)
            answer = self._next_line()
        if not answer.startswith(_READY):
            raise self.failure(answer.removeprefix("failed: ").strip() or f"{self.name} has ended")
        return answer.removeprefix(_READY).strip()

    def send(self, line: str) -> None:
        """Send a line that is not answered. Raises ``failure``."""
        stdin = self._running().stdin
        assert stdin is not None  # it was started with a pipe
        try:
            stdin.write(f"{line}\n".encode())
            stdin.flush()
        except (OSError, ValueError) as error:
            raise self.failure(f"{self.name} has ended") from error

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)

    def _command(self) -> list[str]:
        port = ["--port", str(self._port)]
        return [sys.executable, "-m", self._module, *port, "--with-parent", *self._options]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise self._not_running()
        return self._process

    def _not_running(self) -> ChildFailed:
        return self.failure(f"{self.name} is not running; start it first")

    def _next_line(self) -> str:
        """The next line that it prints; an incomplete one if it ends or ``start_seconds`` are
        over.
        """
        stdout = self._running().stdout
        assert stdout is not None  # it was started with a pipe
        deadline = time.monotonic() + self.start_seconds
        line = b""
        while not line.endswith(b"\n"):
            left = max(0.0, deadline - time.monotonic())
            if not select.select([stdout], [], [], left)[0]:
                break
            part = os.read(stdout.fileno(), 4096)
            if not part:
                break
            line += part
        return line.decode(errors="replace")
