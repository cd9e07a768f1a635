"""The simulated providers as a child process: started, waited for, stopped, or killed."""

import asyncio
import re
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import Final, Self

_SOURCE: Final = Path(__file__).parents[3]
_READY: Final = "ready "
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 3.0


class SimulationFailed(Exception):
    """The simulated providers did not start, or have ended. The text is what they printed."""


class SimulatedProviders:
    """The providers declared at a place in the code. They end with this process, however it ends.

    Usable from plain and from asyncio code: ``with SimulatedProviders("…:SIMULATED") as outside``.
    """

    def __init__(self, declared: str, file: Path | None = None, port: int = 0) -> None:
        """``declared``: ``module:NAME``, a sequence of ``SimulatedProvider``.

        Without a file for the journal nothing is kept; port 0 is any free one.
        """
        kept = [] if file is None else ["--file", str(file.absolute())]
        self._options, self._port = [declared, *kept], port
        self._process: subprocess.Popen[str] | None = None
        self._uri = ""

    @property
    def uri(self) -> str:
        """The address of all of them. ``/faults`` there sets what goes wrong.

        Raises :class:`SimulationFailed` unless they run.
        """
        if not self._uri:
            raise _not_running()
        return self._uri

    def uri_of(self, provider: str) -> str:
        """The address of the provider of that name."""
        return f"{self.uri}/{provider}"

    @property
    def pid(self) -> int:
        """Raises :class:`SimulationFailed` unless they run."""
        return self._running().pid

    @property
    def ended(self) -> bool:
        """Whether the process has ended without ``stop`` or ``kill``."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> Self:
        """Start, and return when they answer. Raises :class:`SimulationFailed`."""
        with tempfile.TemporaryFile("w+") as errors:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.PIPE,  # closed when this process dies: then the child ends
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=_SOURCE,
                text=True,
                start_new_session=True,  # Ctrl-C must not reach the child: its parent stops it
            )
            line = self._first_line()
            if not line.startswith(_READY):
                self.kill()
                errors.seek(0)
                did_not = f"the simulated providers did not start in {_START_SECONDS:.0f} s"
                raise SimulationFailed(errors.read().strip() or did_not)
        self._uri = line.removeprefix(_READY).strip()
        return self

    def start_again(self) -> Self:
        """Start on the port that they had. Raises :class:`SimulationFailed`."""
        if had := re.search(r":(\d+)$", self._uri):
            self._port = int(had[1])
        self.kill()
        return self.start()

    def stop(self) -> None:
        """End them, and wait until they have ended. Stopping twice does no harm."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End them as a power cut would (SIGKILL)."""
        process = self._running()
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        self._uri = ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)

    def _command(self) -> list[str]:
        given = ["--port", str(self._port), "--with-parent", *self._options]
        return [sys.executable, "-m", "infrastructure.providers.simulated", *given]

    def _first_line(self) -> str:
        """What it prints first; nothing if it ends, or prints nothing for so long."""
        stdout = self._running().stdout
        assert stdout is not None  # it was started with a pipe
        too_late = Timer(_START_SECONDS, self._running().kill)
        too_late.start()
        try:
            return stdout.readline()
        finally:
            too_late.cancel()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise _not_running()
        return self._process


def _not_running() -> SimulationFailed:
    return SimulationFailed("the simulated providers are not running; start them first")
