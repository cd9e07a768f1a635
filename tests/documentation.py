"""The pages of the documentation, and what can be found in them."""

import ast
import re
import tokenize
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
PAGES: Final = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("infrastructure/**/*.md")]
)
ROOMS: Final = ("domain", "application", "infrastructure")
"""The packages whose docstrings and comments follow the rules of CONTRIBUTING, too."""

_BLOCK: Final = re.compile(r"```.*?```", re.DOTALL)
_CODE: Final = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(
    r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)|src=\"([^\"]+)\""
)
_SHOWN: Final = re.compile(r"<!-- from (\S+) -->\n```\w*\n(.*?)```", re.DOTALL)
_NAMED: Final = re.compile(r"\[`(?!\w+\.py`)([A-Za-z_][\w.]*)`\]\(([^)\s]+\.py)\)")
_COMMAND: Final = re.compile(r"(?:^|[\s/])headwater ([a-z-]+\b.*)")


def name(page: Path) -> str:
    """``docs/adr/README.md``."""
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """The page without blocks of code."""
    return _BLOCK.sub("", page.read_text())


def spoken_in(file: Path) -> Iterator[str]:
    """The docstrings and comments of a source file, without the code between backticks."""
    with tokenize.open(file) as source:
        spoken = [
            found.string
            for found in tokenize.generate_tokens(source.readline)
            if found.type == tokenize.COMMENT
        ]
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Expr(value=ast.Constant(value=str(docstring))):
                spoken.append(docstring)
    yield from (_CODE.sub("", text.replace("``", "`")) for text in spoken)


def links(page: Path) -> Sequence[str]:
    """Where its links and pictures lead, as written."""
    return [next(filter(None, found)) for found in _LINK.findall(prose(page))]


def anchors(page: Path) -> Collection[str]:
    """The anchors that headings get: lower case, punctuation dropped, spaces to hyphens."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def in_code(page: Path) -> Sequence[str]:
    """The lines of its blocks and spans of code."""
    return [
        line for code in _CODE.findall(page.read_text()) for line in code.strip("`").split("\n")
    ]


def shown_code(page: Path) -> Sequence[tuple[str, str]]:
    """Each block that says from which file it is: the file, and the code."""
    found: Sequence[tuple[str, str]] = _SHOWN.findall(page.read_text())
    return found


def linked_names(text: str) -> Sequence[tuple[str, str]]:
    """Each [`Stock.on_hand`](…/stock.py): the name, and the file."""
    found: Sequence[tuple[str, str]] = _NAMED.findall(text)
    return found


def commands_in(line: str) -> Sequence[str]:
    """What follows each ``headwater`` in a line of code."""
    found: Sequence[str] = _COMMAND.findall(line)
    return found
