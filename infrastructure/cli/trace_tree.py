"""A tree on a terminal: one line for each branch where all fit, else several, below each other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from infrastructure.cli.printing import Console
from infrastructure.cli.printing import cell as shown
from infrastructure.cli.table import Column, print_table, width, wrapped

_COLUMNS: Final = (
    *map(Column, ("what happened", "event", "when")),
    Column("after", right=True),
)
_GAP: Final = "  "
_STEP: Final = 2
_DEEPEST: Final = 8
"""Levels that are indented: a saga is a chain, and deeper than a terminal is wide."""
_LEAST: Final = 24
"""Columns that are left to what happened, however deep it is."""


@dataclass(frozen=True)
class Branch:
    """What happened; the event, when it was, and how long after its cause."""

    what: str
    depth: int = 0
    event: str = ""
    when: str = ""
    after: str = ""


def print_tree(branches: Sequence[Branch]) -> None:
    """Print a header and the branches. No event and no time is broken."""
    rows = [(_indented(one), one.event, one.when, one.after) for one in branches]
    cells = zip([column.name for column in _COLUMNS], *rows, strict=True)
    needed = sum(max(map(len, column)) for column in cells) + len(_GAP) * (len(_COLUMNS) - 1)
    if needed <= width():
        print_table(_COLUMNS, rows)
        return
    console = Console(soft_wrap=True)
    for line in lines(branches, width()):
        console.print(line)


def lines(branches: Sequence[Branch], width: int) -> Iterator[Text]:
    """The header and the branches for a terminal of that width: what happened with its times, if
    they fit beside it, and the event below."""
    head = Branch("what happened", 0, "event", "when", "after")
    longest = max(len(one.after) for one in (head, *branches))
    for number, one in enumerate((head, *branches)):
        style = "bold" if number == 0 else ""
        for line in _lines(one, longest, width):
            yield Text(line, style)


def _indented(branch: Branch) -> str:
    return " " * _STEP * min(branch.depth, _DEEPEST) + branch.what


def _lines(branch: Branch, longest: int, width: int) -> Iterator[str]:
    indent = min(branch.depth * _STEP, _DEEPEST * _STEP, max(0, width - _LEAST))
    times = f"{branch.when}{_GAP}{branch.after:>{longest}}".rstrip()
    room = width - indent - len(branch.what) - len(_GAP)
    if not times.strip():
        yield from _placed(branch.what, indent, width)
    elif len(branch.when) + len(_GAP) + longest <= room:
        what = f"{' ' * indent}{branch.what}"
        end = width - len(branch.when) - len(_GAP) - longest
        yield f"{what:<{end}}{times}"
    else:
        yield from _placed(branch.what, indent, width)
        yield from _placed(" ".join(times.split()), indent + _STEP, width)
    yield from _placed(branch.event, indent + _STEP, width)


def _placed(text: str, indent: int, width: int) -> Iterator[str]:
    """The text in lines, broken at spaces; further left where a word is too long."""
    if not text:
        return
    needed = max(map(len, text.split()))
    left = min(indent, max(0, width - needed))
    for line in wrapped(shown(Text(text)), width - left):
        yield f"{' ' * left}{line.plain}"
