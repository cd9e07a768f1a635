"""Tables that fit the terminal and break no id, date, status or number.

A person copies these, so only columns of text are wrapped, at spaces. Where the other columns are
wider than the terminal together, each row takes several lines, and so does the header.
"""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from infrastructure.cli.printing import Console
from infrastructure.cli.printing import cell as shown

_GAP: Final = "  "
_INDENT: Final = "  "
_LEAST: Final = 16
"""Columns that are left to text at least: below, it gets a line of its own."""
_ENDLESS: Final = 10_000
_SPACE: Final = re.compile(r"(?!(?<=[0-9]) [A-Z]{3}\b|(?<=[0-9]{4}-[0-9]{2}-[0-9]{2}) [0-9]{2}:) ")
"""But for that in ``2.55 GBP``, and in ``2026-01-31 12:30Z``."""
_USUAL: Final = 80  # where a terminal does not say how wide it is
_NARROWEST: Final = 20


@dataclass(frozen=True)
class Column:
    """A column. ``text`` is wrapped where it does not fit, anything else is never broken."""

    name: str
    text: bool = False
    right: bool = False


def width() -> int:
    """Columns of the terminal, or of ``COLUMNS``. A file and a pipe have no end."""
    if os.environ.get("COLUMNS", "").isdigit():
        return max(int(os.environ["COLUMNS"]), _NARROWEST)
    if not sys.stdout.isatty():
        return _ENDLESS
    return max(os.get_terminal_size(sys.stdout.fileno()).columns or _USUAL, _NARROWEST)


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[Text | str]]) -> None:
    """Print a header and the rows; nothing without rows."""
    console = Console(soft_wrap=True)
    for line in lines(columns, rows, width()) if rows else ():
        console.print(line)


def lines(
    columns: Sequence[Column], rows: Sequence[Sequence[Text | str]], width: int
) -> Iterator[Text]:
    """The lines of a table for a terminal of that width."""
    heads = [Text(column.name, style="bold") for column in columns]
    cells = [heads, *([_text(one) for one in row] for row in rows)]
    widths = [max(row[number].cell_len for row in cells) for number in range(len(columns))]
    layout = _layout(columns, widths, width)
    for row in cells:
        for number, part in enumerate(layout):
            yield from _lines_of(row, part, "" if number == 0 else _INDENT)


@dataclass(frozen=True)
class _Place:
    """Where a column stands in a line of a row."""

    column: Column
    number: int
    width: int


def _layout(
    columns: Sequence[Column], widths: Sequence[int], width: int
) -> Sequence[Sequence[_Place]]:
    """The columns, line by line: in one line if that fits, with what is text as narrow as it has
    to be."""
    parts: list[list[_Place]] = []
    part: list[_Place] = []
    for number, (column, wanted) in enumerate(zip(columns, widths, strict=True)):
        least = min(wanted, _LEAST) if column.text else wanted
        taken = sum(_least(place) for place in part) + len(_GAP) * len(part)
        indent = len(_INDENT) if parts else 0
        if part and indent + taken + least > width:
            parts.append(_spread(part, width - indent))
            part = []
        part.append(_Place(column, number, wanted))
    return [*parts, _spread(part, width - (len(_INDENT) if parts else 0))]


def _least(place: _Place) -> int:
    return min(place.width, _LEAST) if place.column.text else place.width


def _spread(part: Sequence[_Place], width: int) -> list[_Place]:
    """The columns of one line, those of text in the room that the others leave."""
    room = width - len(_GAP) * (len(part) - 1)
    room -= sum(place.width for place in part if not place.column.text)
    texts = [place for place in part if place.column.text]
    given = dict[int, int]()
    for left, place in enumerate(sorted(texts, key=lambda one: one.width)):
        share = max(room // (len(texts) - left), min(place.width, _LEAST))
        given[place.number] = min(place.width, share)
        room -= given[place.number]
    return [_Place(one.column, one.number, given.get(one.number, one.width)) for one in part]


def _lines_of(row: Sequence[Text], part: Sequence[_Place], indent: str) -> Iterator[Text]:
    wrapped = [_wrapped(row[place.number], place) for place in part]
    if not any(one.plain for cell in wrapped for one in cell):
        return
    for height in range(max(map(len, wrapped))):
        cells = []
        for place, cell in zip(part, wrapped, strict=True):
            one = cell[height].copy() if height < len(cell) else Text()
            one.align("right" if place.column.right else "left", place.width)
            cells.append(one)
        line = Text(indent) + Text(_GAP).join(cells)
        line.rstrip()
        yield line


def _wrapped(text: Text, place: _Place) -> Sequence[Text]:
    """The lines of a cell, broken at spaces; a word that is too long stays whole."""
    if not place.column.text or text.cell_len <= place.width:
        return [text]
    return wrapped(text, place.width)


def wrapped(text: Text, width: int) -> Sequence[Text]:
    """The text in lines of that width, broken at spaces only; no amount and no time is broken."""
    made, begin, end = list[Text](), 0, 0
    plain = text.plain
    for place in [*(found.start() for found in _SPACE.finditer(plain)), len(plain)]:
        if end > begin and cell_len(plain[begin:place]) > width:
            made.append(text[begin:end])
            begin = end + 1
        end = place
    return [*made, text[begin:]]


def say_text(text: Text | str) -> None:
    """Print a text, in as many lines as it takes."""
    console = Console(soft_wrap=True)
    for line in wrapped(_text(text), width()):
        console.print(line)


def _text(one: Text | str) -> Text:
    text = shown(one)
    return text if isinstance(text, Text) else Text(str(text))
