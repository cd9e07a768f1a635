"""How a command runs and ends: its settings, error messages, exit code, and Ctrl-C."""

import asyncio
import gc
import math
import os
import signal
import sys
import threading
import unicodedata
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from application.access import Caller
from infrastructure import event_loop
from infrastructure.cli.access import REFUSALS, name_of, permitted, user_of_process
from infrastructure.cli.printing import say

if TYPE_CHECKING:
    from infrastructure.program import Deployment, Program


_GRACE: Final = 6.0  # seconds for everything to end by itself
_LIMIT: Final = 9.5  # containers are killed 10 s after SIGTERM
YOUNG: Final = 50_000
"""Objects made and kept before the youngest are searched for garbage. Python's 700 are too few: a
batch of events has tens of thousands of objects, all of which are freed with it."""


_caller: ContextVar[Caller | None] = ContextVar("who runs the command", default=None)
_service: ContextVar[str] = ContextVar("name of the service", default="")


class UsageError(Exception):
    """An argument is wrong, or does not fit the others. The message says what would be right."""


def prepare_process(arguments: Sequence[str]) -> Sequence[str]:
    """Before any command: make what this process and its children write private to its user.

    Returns the arguments in composed form (NFC), as text is read everywhere; names of existing
    files stay as they are. Raises :class:`UsageError` for an argument that is not text.
    """
    os.umask(0o077)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal without that character gets an escape
            stream.reconfigure(errors="backslashreplace")
    return [_text(argument) for argument in arguments]


def _text(argument: str) -> str:
    try:
        argument.encode()
    except UnicodeEncodeError:
        raise UsageError(f"the argument {argument} is not UTF-8: write it as such") from None
    return argument if os.path.lexists(argument) else unicodedata.normalize("NFC", argument)


def finite(number: float) -> float:
    """The number. Raises ``BadParameter`` for ``nan``, which passes every ``min`` and ``max``."""
    if not math.isfinite(number):
        raise typer.BadParameter(f"{number} is not a number")
    return number


def typed(command: str, after_name: str = " ") -> str:
    """What a person types for a command: the name of the service, and the command."""
    name = _service.get()
    return f"{name}{after_name}{command}" if name else command


def print_version(context: typer.Context, wanted: bool) -> None:
    """Print the version of the service, and of its kit, and end."""
    if wanted:
        from infrastructure.release import described

        of = program(context)
        say(described(of.service.name, of.distribution))
        raise typer.Exit


def name_service(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback has used it
        bool,
        typer.Option("--version", help="Print the version.", callback=print_version, is_eager=True),
    ] = False,
) -> None:
    """Before each command: whose it is."""
    _service.set(program(context).service.name)


def program(context: typer.Context) -> "Program[Any]":
    """The program whose command this is."""
    found: Program[Any] = context.find_root().obj  # the command line is made with it
    return found


def deployed(context: typer.Context) -> "Deployment":
    """The program with the settings of this process, for a command that the caller may use.

    Raises ``InvalidSettings``, and the refusals of callers.
    """
    from infrastructure import settings
    from infrastructure.program import Deployment

    of = program(context)
    deployment = Deployment(of, settings.load(of.settings))
    _caller.set(permitted(deployment, name_of(context)))
    return deployment


def caller() -> Caller:
    """Who runs this command."""
    return _caller.get() or user_of_process()


def report(error: Exception) -> None:
    """Print an expected error, each line after the name of the service."""
    for line in str(error).splitlines():
        say(typed(line, ": "), err=True)


def report_to_parent(error: Exception) -> None:
    """Print it for the process that has started this one, which then prints it."""
    from infrastructure.processes.role_process import start_failure

    say(start_failure(error))


@contextmanager
def clear_errors(report: Callable[[Exception], None] = report) -> Iterator[None]:
    """Report an expected error, without a traceback.

    Exit code 1: the command failed; 2: an argument or a setting is wrong.
    """
    from application.messages import UnreadableEvent
    from application.ports import (
        NotBuilt,
        NotOurs,
        PayloadUnavailable,
        StoreUnavailable,
        StreamUnusable,
        WrongRole,
    )
    from application.projections.operating import UnknownReadModel
    from infrastructure.processes import CommandFailed
    from infrastructure.roles import InvalidNumber
    from infrastructure.settings import InvalidSettings

    try:
        yield
    except (InvalidSettings, InvalidNumber, UsageError, UnknownReadModel) as error:
        report(error)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:  # before anything ran that would have to be stopped
        raise typer.Exit(130) from None
    except BrokenPipeError:  # the reader of our output has closed it, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except (CommandFailed, StoreUnavailable, PayloadUnavailable, OSError, *REFUSALS) as error:
        report(error)
        raise typer.Exit(1) from None
    except (NotBuilt, NotOurs, WrongRole, StreamUnusable, UnreadableEvent) as error:
        report(error)
        raise typer.Exit(1) from None


def until_stopped(service: Coroutine[Any, Any, None]) -> None:
    """Run a service until it is stopped, which is success."""
    try:
        _run(service, event_loop.of_services())
    except asyncio.CancelledError:
        return


def until_done(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end. Exit code 130 when it is stopped before."""
    try:
        _run(work)
    except asyncio.CancelledError:
        say(typed("stopped before the end", ": "), err=True)
        raise typer.Exit(130) from None


def _run(
    work: Coroutine[Any, Any, None],
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Run it. SIGINT, SIGTERM and SIGHUP cancel it, so it stops everything that it started."""

    async def cancellable() -> None:
        task = asyncio.current_task()
        assert task is not None  # we are in one
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(sign, _stop, task)
        await work

    from infrastructure import telemetry

    telemetry.log_to_stderr("WARNING")  # a service configures its own log
    gc.freeze()  # what was imported stays
    gc.set_threshold(YOUNG)
    gc.enable()
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(cancellable())


def _stop(work: asyncio.Task[None]) -> None:
    """Cancel it. If a server that it started hangs, kill the children, and then end the process."""
    work.cancel()
    for seconds, act in ((_GRACE, _kill_children), (_LIMIT, _give_up)):
        timer = threading.Timer(seconds, act)  # a thread: the loop may be what hangs
        timer.daemon = True
        timer.start()


def _kill_children() -> None:
    """Kill the servers that it started, so that nothing waits for one that hangs."""
    for children in Path("/proc/self/task").glob("*/children"):  # only Linux has it
        for child in children.read_text().split():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(int(child), signal.SIGKILL)  # each leads a group of its own


def _give_up() -> None:
    say("stopped before every task had ended", err=True)
    os._exit(1)
