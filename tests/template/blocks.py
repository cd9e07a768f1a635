"""A page in Markdown, cut into blocks: headings, rows, items, paragraphs and code."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["heading", "head", "row", "item", "paragraph", "code", "blank"]

_FENCE: Final = re.compile(r"^ *```")
_ITEM: Final = re.compile(r"^(?:[-*]|\d+\.) ")
_SHOWN: Final = re.compile(r"^<!-- from \S+ -->$")
_SENTENCE: Final = re.compile(
    r"(?:(?<=[.!?])(?:\*\*)?|(?<=:)\*\*|(?<=\*\*:))\s+(?=[A-Z`*\[_])"  # a label is one
)


@dataclass(frozen=True)
class Block:
    """Some whole lines of a page."""

    kind: Kind
    start: int
    text: str
    level: int = 0  # of a heading

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def blocks(page: str) -> Iterator[Block]:
    """All blocks, in order; together they are the page."""
    start = 0
    for kind, lines in _grouped(page.splitlines(keepends=True)):
        text = "".join(lines)
        level = len(text) - len(text.lstrip("#")) if kind == "heading" else 0
        yield Block(kind, start, text, level)
        start += len(text)


def sentences(block: Block) -> Iterator[tuple[int, str]]:
    """Where each sentence begins in the page, and its text with the blanks behind it."""
    marker = _ITEM.match(block.text)
    before, begin = 0, marker.end() if marker else 0
    for found in (*_SENTENCE.finditer(block.text, begin), None):
        end = found.end() if found else len(block.text)
        yield block.start + before, block.text[before:end]
        before = end


def _grouped(lines: Sequence[str]) -> Iterator[tuple[Kind, Sequence[str]]]:
    at = 0
    while at < len(lines):
        kind = _kind(lines, at)
        end = _end(kind, lines, at)
        yield kind, lines[at:end]
        at = end


def _kind(lines: Sequence[str], at: int) -> Kind:
    line = lines[at]
    if not line.strip():
        return "blank"
    if _FENCE.match(line) or _SHOWN.match(line.strip()):
        return "code"
    if line.startswith("|"):
        below = lines[at + 1] if at + 1 < len(lines) else ""
        return "head" if below.startswith("|---") or line.startswith("|---") else "row"
    if re.match("#+ ", line):
        return "heading"
    return "item" if _ITEM.match(line) else "paragraph"


def _end(kind: Kind, lines: Sequence[str], at: int) -> int:
    """The line behind the block that begins here."""
    end = at + 1
    if kind in ("heading", "head", "row"):
        return end
    if kind == "code":
        return _end_of_code(lines, at)
    while end < len(lines) and _goes_on(kind, lines[end]):
        end += 1
    return end


def _end_of_code(lines: Sequence[str], at: int) -> int:
    opened = False
    for end in range(at, len(lines)):
        if _FENCE.match(lines[end]):
            if opened:
                return end + 1
            opened = True
    return len(lines)


def _goes_on(kind: Kind, line: str) -> bool:
    if kind == "item":
        return line.startswith("  ") and not _FENCE.match(line)
    if kind == "blank":
        return not line.strip()
    begins = line.startswith(("|", "#", "<!-- from")) or _FENCE.match(line) or _ITEM.match(line)
    return bool(line.strip()) and not begins
