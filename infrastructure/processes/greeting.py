"""The process that greets: it fills an empty store, prints the welcome, and ends."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import Collection

from infrastructure.processes import CommandFailed
from infrastructure.processes.role_process import command_line, environment_of
from infrastructure.settings import Settings


async def greeted(settings: Settings, url: str, given: Collection[str]) -> None:
    """Return when the command ``greet`` is done, which prints to the same terminal.

    Raises :class:`CommandFailed` without a message if it failed: it has printed why.
    """
    process = await asyncio.create_subprocess_exec(
        *command_line(),
        *("greet", url, *given),
        stdin=PIPE,  # closed when this process dies: then the child ends
        env=environment_of(settings),
        start_new_session=True,  # Ctrl-C must not reach the child: its parent stops it
    )
    try:
        if await process.wait():
            raise CommandFailed("")
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
