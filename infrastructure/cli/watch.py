"""``--watch``: what a command shows is shown again and again, until it moves no more."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from rich.text import Text

from infrastructure.cli.forms import say_data
from infrastructure.cli.printing import Console, say

EVERY: Final = 1.0  # seconds


@dataclass(frozen=True)
class Look:
    """How it stands at one moment."""

    lines: Sequence[Text]
    document: Any
    """The same as data."""
    figures: object
    """It has changed where these differ; a time that goes by is no change."""
    waits: bool
    """Whether there is something that moves, or will."""


async def watch(look: Callable[[], Awaitable[Look]], *, json: bool) -> Look:
    """Show each look until one waits for nothing; that one. Raises what ``look`` raises."""
    with _in_place() if not json and on_a_terminal() else _after_changes(json) as show:
        while True:
            show(now := await look())
            if not now.waits:
                return now
            await asyncio.sleep(EVERY)


def on_a_terminal() -> bool:
    """Whether lines that are printed can be replaced."""
    console = Console()
    return console.is_terminal and not console.is_dumb_terminal


@contextmanager
def _in_place() -> Iterator[Callable[[Look], None]]:
    from rich.console import Group
    from rich.live import Live

    with Live(console=Console(), auto_refresh=False, redirect_stdout=False) as live:
        yield lambda look: live.update(Group(*look.lines), refresh=True)


@contextmanager
def _after_changes(json: bool) -> Iterator[Callable[[Look], None]]:
    console, shown = Console(soft_wrap=True), list[Look]()

    def show(look: Look) -> None:
        if shown and look.figures == shown[-1].figures:
            return
        if json:
            say_data(look.document, indent=None)
        else:
            if shown:
                say()
            for line in look.lines:
                console.print(line)
        shown[:] = [look]

    yield show
