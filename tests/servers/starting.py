"""A server as a child process. It ends with this process, however that ends: also by SIGKILL."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

from tests.servers.server import Launch, Server, ServerFailed

_STOP_SECONDS: Final = 10.0
_LOG_LINES: Final = 15
# Ends the server's process group, and removes its data, when standard input closes.
_GUARD: Final = 'read -r _; kill -KILL "-$1" 2>/dev/null; rm -rf -- "$2"'
_BRIEF: Final = {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"}  # a JVM starts in half the CPU time


class Started:
    """A server that runs for the tests alone."""

    def __init__(self, server: Server, directory: Path) -> None:
        """``directory`` is where its data and its log are. Raises ``NotHere``, ``ServerFailed``."""
        server.require()
        self._server, self.directory = server, directory
        self._launch = server.launch(directory)
        self._process, self._guard = self._begin()

    @property
    def address(self) -> str:
        return self._launch.address

    @property
    def pid(self) -> int:
        """Its process, which leads a process group of its own."""
        return self._process.pid

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order. It is killed after ten seconds. Stopping twice does no harm."""
        self._end(self._server.ends_on)

    def start_again(self) -> None:
        """Start it at the same address, on the same data. Raises ``ServerFailed``."""
        self.kill()
        self._process, self._guard = self._begin()

    def _end(self, how: signal.Signals) -> None:
        if self._process.poll() is None:
            end(psutil.Process(self._process.pid), how)
            self._process.wait()
        self._guard.kill()
        self._guard.communicate()

    def _begin(self) -> tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]:
        log = self.directory / "log.txt"
        process = begin(self._launch, log, _BRIEF)
        guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "guard", str(process.pid), str(self.directory)],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C must not reach it
        )
        try:
            wait_until_ready(self._server, self._launch.address, process, log)
        except BaseException:
            guard.communicate()  # ends both
            process.wait()
            raise
        return process, guard


@contextmanager
def started(server: Server) -> Iterator[Started]:
    """A new server, without data, as long as the context lasts. Raises ``NotHere``."""
    directory = Path(tempfile.mkdtemp(prefix=f"{server.name}-"))
    try:
        running = Started(server, directory)
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def begin(
    launch: Launch, log: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """The process, which leads a group of its own and writes what it prints to the log."""
    with log.open("ab") as output:
        return subprocess.Popen(
            launch.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=log.parent,
            env={**os.environ, **(environment or {}), **launch.environment},
            start_new_session=True,  # Ctrl-C must not reach it: it is stopped in order
        )


def wait_until_ready(
    server: Server, address: str, process: subprocess.Popen[bytes], log: Path
) -> None:
    """Returns when it answers. Raises ``ServerFailed`` with the end of its log."""
    deadline = time.monotonic() + server.start_seconds
    while not server.is_ready(address):
        if process.poll() is not None:
            raise _failed(server, f"ended with {process.returncode} during its start", log)
        if time.monotonic() > deadline:
            raise _failed(server, f"did not answer in {server.start_seconds:.0f} s", log)
        time.sleep(0.1)


def _failed(server: Server, how: str, log: Path) -> ServerFailed:
    lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
    return ServerFailed("\n".join([f"{server.name} {how}; the end of its log:", *lines]))


def end(leader: psutil.Process, how: signal.Signals) -> None:
    """Signal the process group that it leads, and kill the group after ten seconds."""
    for sign in (how, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(leader.pid, sign)
        with suppress(psutil.TimeoutExpired):
            leader.wait(_STOP_SECONDS)
            return
