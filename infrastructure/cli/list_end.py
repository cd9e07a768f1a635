"""What a list ends with: how many of how many it shows, and where the next page begins."""

from collections.abc import Mapping
from shlex import quote
from typing import Any

from rich.text import Text

from application.ports import Total
from infrastructure.cli.printing import Console
from infrastructure.cli.table import width, wrapped


def summary(shown: int, total: Total | None, one: str, several: str) -> str:
    """``3 sagas``, ``no sagas``, ``20 of 1,234 sagas``, ``20 of at least 2,000 sagas``."""
    if total is None or (total.bound != "at most" and total.number <= shown):
        return f"{shown:,} {one if shown == 1 else several}" if shown else f"no {several}"
    return f"{shown:,} of {total} {one if total == Total(1) else several}"


def say_end(words: str, after: str | None, next_page: str = "the next page") -> None:
    """Print that, faintly, and how to go on: an option that is copied stays on one line."""
    option = "" if after is None else f"--after {quote(after)}"
    lines = [*wrapped(Text(f"{words}; {next_page}:" if option else words), width())]
    if option and lines[-1].cell_len + 1 + len(option) <= width():
        lines[-1].append(f" {option}")
    elif option:
        lines.append(Text(option))
    console = Console(soft_wrap=True)
    for line in lines:
        line.stylize("dim")
        console.print(line)


def in_all(total: Total | None) -> Mapping[str, Any]:
    """The total of all pages, as JSON has it; ``total_is``: ``exactly``, or which bound it is."""
    number, bound = (total.number, total.bound) if total else (None, None)
    return {"total": number, "total_is": bound}
