"""What a command is at, on the terminal, while it works for long."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from application.whole_log import Report, Step, unreported
from infrastructure.cli.printing import Console

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def shown() -> Iterator[Report]:
    """Shows each step that is reported in one line on standard error, and removes it in the end.

    Shows nothing where standard error is not a terminal, so output that is kept has no trace of it.
    """
    if not sys.stderr.isatty():
        yield unreported
        return
    with bar(Console(stderr=True), transient=True) as line:
        task = line.add_task("connecting", total=None, numbers="")

        def report(step: Step) -> None:
            line.update(
                task,
                description=step.part,
                completed=step.share or 0.0,
                total=None if step.share is None else 1.0,
                numbers=f"{step.done:,}" if step.done else "",
            )

        yield report


def bar(console: Console, *, transient: bool = False) -> "Progress":
    """A description, a bar, ``numbers``, and the time; nothing where there is no terminal.

    A ``transient`` one is removed in the end, and has no time that is left.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as Remaining

    left = () if transient else (TextColumn("elapsed,"), Remaining(), TextColumn("left"))
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[numbers]}"),
        TimeElapsedColumn(),
        *left,
        console=console,
        transient=transient,
        disable=not console.is_terminal,
    )
