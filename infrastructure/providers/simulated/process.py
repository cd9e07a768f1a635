"""The simulated providers as a child process: started, waited for, stopped, or killed."""

import asyncio
import select
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

_MODULE: Final = "infrastructure.providers.simulated"
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 3.0  # then they are killed, and lose nothing by that


class SimulationFailed(Exception):
    """The simulated providers did not start; the text is what they printed."""


class SimulatedProviders:
    """The providers declared at a place in the code. They end with this process, however it ends.

    Usable from plain and from asyncio code: ``with SimulatedProviders("…:SIMULATED") as outside``.
    """

    def __init__(self, declared: str, file: Path | None = None, port: int = 0) -> None:
        """``declared``: ``module:NAME``, a sequence of ``SimulatedProvider``.

        Without a file for the journal nothing is kept; port 0 is any free one.
        """
        kept = [] if file is None else ["--file", str(file.absolute())]
        options = [*kept, "--port", str(port), "--with-parent"]
        self._command = [sys.executable, "-m", _MODULE, declared, *options]
        self._process: subprocess.Popen[bytes] | None = None
        self._uri = ""

    @property
    def uri(self) -> str:
        """The address of all of them. ``/faults`` there sets what goes wrong."""
        if not self._uri:
            raise SimulationFailed("the simulated providers are not running; start them first")
        return self._uri

    def uri_of(self, provider: str) -> str:
        """The address of the provider of that name."""
        return f"{self.uri}/{provider}"

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def ended(self) -> bool:
        """Whether their process has ended by itself, or was killed by another."""
        return self._process is not None and self._process.poll() is not None

    def start_again(self) -> Self:
        """Start them on the port that they had. Raises SimulationFailed."""
        if self._uri:
            self._command[self._command.index("--port") + 1] = self._uri.rpartition(":")[2]
        self.kill()
        return self.start()

    def start(self) -> Self:
        """Start, and return when they answer. Raises SimulationFailed."""
        with tempfile.TemporaryFile() as errors:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,  # closed when this process dies: then they end
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=Path(__file__).parents[3],
                start_new_session=True,  # Ctrl-C is for us, we stop them when we are done
            )
            line = _first_line(self._process)
            if not line.startswith("ready "):
                self.kill()
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip()
                raise SimulationFailed(said or f"nothing came in {_START_SECONDS:.0f} s")
        self._uri = line.removeprefix("ready ").strip()
        return self

    def stop(self) -> None:
        """End them and wait until they have ended. Stopping twice does nothing more."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End them as ``kill -9`` does."""
        process = self._running()
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        self._uri = ""

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise SimulationFailed("the simulated providers are not running; start them first")
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
    """What they print first (one line, at once); nothing when they end or the time is up."""
    assert process.stdout is not None  # it was started with a pipe
    if not select.select([process.stdout], [], [], _START_SECONDS)[0]:
        return ""
    return process.stdout.readline().decode(errors="replace")
