"""All output of the commands, with control characters made visible.

Stored text was written by others. Its control characters must not act on a terminal, and its
square brackets are not markup. ``ruff`` refuses every other way to print in this package.
"""

import os
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
    """Print the content of a file that the command makes, line by line."""
    typer.echo(visible_lines(content), nl=False)


class Table(rich.table.Table):
    """A table of text, with control characters made visible."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        super().add_row(*map(cell, cells), **options)


class Console(rich.console.Console):
    """The terminal, or where the output goes. Text is not markup: colours come with ``Text``.

    With ``NO_COLOR`` it gets no styles at all: neither colours nor bold text.
    """

    def __init__(self, *, highlight: bool = False, **options: Any) -> None:
        if os.environ.get("NO_COLOR"):
            options["color_system"] = None
        super().__init__(markup=False, emoji=False, highlight=highlight, **options)

    def on_broken_pipe(self) -> None:
        """The reader has closed its end, as `head` does: for the command to handle."""
        raise BrokenPipeError

    def print(self, *objects: Any, **options: Any) -> None:
        """Print. Each string is one line."""
        super().print(*map(cell, objects), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Control characters inside of a renderable are made visible here."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(visible_lines(segment.text), segment.style)


def cell(content: Any) -> Any:
    """The content of one cell or line, with control characters made visible."""
    match content:
        case str():
            return visible(content)
        case Text() if (shown := visible(content.plain)) != content.plain:
            return Text(shown, content.style)
        case _:
            return content
