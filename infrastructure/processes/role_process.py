"""A process of ``run`` with one role: started, waited for, stopped. It ends when ``run`` ends.

It is the same command line again, with the command ``part``, and keeps this contract:

- It serves on the sockets that it is given, and prints one line, ``ready``, when it does.
- If it cannot start, it prints one line with the reason, as JSON, and exits.
- It ends on SIGTERM, and at once when its standard input is closed, as it is when ``run`` dies.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from infrastructure.processes import CommandFailed
from infrastructure.roles import Role
from infrastructure.settings import InvalidSettings, Settings

READY: Final = "ready"
_START_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 4.0  # longer than open requests may take


def command_line() -> Sequence[str]:
    """What has started this process, without the arguments of the program."""
    return sys.orig_argv[: len(sys.orig_argv) - len(sys.argv[1:])]


def environment_of(settings: Settings) -> Mapping[str, str]:
    """The variables of a process that uses the servers in these settings."""
    fields = (
        "event_store",
        "saga_engine",  # only: temporal
        *settings.addresses(),
    )
    values = {field: getattr(settings, field) for field in fields}
    named = {settings.name_of(field): value for field, value in values.items() if value}
    return {**os.environ, **named}


def start_failure(error: Exception) -> str:
    """The line in which a process reports why it cannot start."""
    return json.dumps({"reason": str(error), "invalid": isinstance(error, InvalidSettings)})


class RoleProcess:
    """One process. Its sockets stay open, so it has its address again when it is restarted."""

    def __init__(self, role: Role, settings: Settings, listeners: Sequence[socket.socket]) -> None:
        self.role, self._listeners = role, listeners
        self._environment = environment_of(settings)
        self._process: Process | None = None

    @property
    def listener(self) -> socket.socket:
        """The socket that no other process has, unless there is one for all."""
        return self._listeners[-1]

    async def start(self) -> None:
        """Start, and return when it answers. Raises ``CommandFailed``, ``InvalidSettings``."""
        descriptors = [listener.fileno() for listener in self._listeners]
        listening = (f"--listener={descriptor}" for descriptor in descriptors)
        self._process = await asyncio.create_subprocess_exec(
            *command_line(),
            *("part", self.role, *listening),
            stdin=PIPE,  # closed when this process dies: then the child ends
            stdout=PIPE,
            env=self._environment,
            pass_fds=descriptors,
            start_new_session=True,  # Ctrl-C must not reach the child: its parent stops it
        )
        try:
            async with asyncio.timeout(_START_SECONDS):
                line = await self._first_line()
        except TimeoutError:
            await self.kill()
            raise CommandFailed(
                f"the process of {self.role} did not start in {_START_SECONDS:.0f} s"
            ) from None
        if line != READY:
            raise _failure(self.role, line, await self._process.wait())

    async def ended(self) -> str:
        """Wait until it has ended. Returns how."""
        assert self._process is not None  # it was started
        return _how(await self._process.wait())

    async def stop(self) -> None:
        """End it, and return when it has ended. Stopping twice does no harm."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        assert self._process is not None  # it was started
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _first_line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None  # it was started with a pipe
        return (await self._process.stdout.readline()).decode(errors="replace").strip()


def _failure(role: Role, line: str, code: int) -> Exception:
    try:
        failure = json.loads(line)
        kind = InvalidSettings if failure["invalid"] else CommandFailed
        return kind(failure["reason"])
    except ValueError:  # it has not come to reporting anything
        return CommandFailed(f"the process of {role} did not start: {_how(code)}")


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"ended by {signal.Signals(-code).name}"
