"""Everything that the commands print goes through here, so nothing acts on a terminal by itself.

What is stored was written by others. It is printed with its control characters visible, and a
square bracket in it is no markup. ``ruff`` refuses every other way to print in this room.
"""

from collections.abc import Iterable
from typing import Any

import rich.console
import rich.table
import typer
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from infrastructure.visible import visible, visible_json, visible_lines


def say(line: str = "", *, err: bool = False) -> None:
    """Print one line, to standard error with ``err``."""
    typer.echo(visible(line), err=err)


def say_json(document: object, indent: int | None = 2) -> None:
    """Print a document; without ``indent`` on one line."""
    typer.echo(visible_json(document, indent))


def say_file(content: str) -> None:
    """Print the content of a file that we make, as it is."""
    typer.echo(visible_lines(content), nl=False)


class Table(rich.table.Table):
    """A table of text. Each cell is on one line, unless it is too narrow."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        super().add_row(*map(cell, cells), **options)


class Console(rich.console.Console):
    """A terminal, or what stands in for one. Text is no markup: colours come with ``Text``."""

    def __init__(self, *, highlight: bool = False, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=highlight, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; a text is one line."""
        super().print(*map(cell, objects), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Whatever a renderable holds is made visible at the latest here."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(visible_lines(segment.text), segment.style)


def cell(content: Any) -> Any:
    """What stands in one place of one line, as it is printed."""
    match content:
        case str():
            return visible(content)
        case Text() if (shown := visible(content.plain)) != content.plain:
            return Text(shown, content.style)
        case _:
            return content
