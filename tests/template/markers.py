"""Comments that mark lines for a feature: read, and taken out.

A file is read into pieces: some text, and the conditions on which it stands in a service.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from tests.template.conditions import InvalidCondition, holds

_HASH: Final = r"(?<!\{)#\s*(only|end):\s*(\S.*?)"
_ANGLE: Final = r"(?:<!--|\{#)\s*(only|end):\s*(\S.*?)\s*(?:-->|#\})"
_ALONE: Final = re.compile(rf"\s*(?:{_HASH}|{_ANGLE})\s*")
_BEHIND: Final = re.compile(rf"(\s*\S.*?)\s*(?:{_HASH}|{_ANGLE})\s*")
_WITHIN: Final = re.compile(_ANGLE)
_LEFT: Final = re.compile(r"(?:#|<!--|//|--|/\*)\s*(?:only|end)\s*:")


class InvalidMarker(Exception):
    """A marker cannot be read: ``file:line:``, what is wrong, and what would be right."""


@dataclass(frozen=True)
class Piece:
    """Some text of a file, and all conditions on which it stands there."""

    text: str
    conditions: tuple[str, ...] = ()

    def stands(self, chosen: frozenset[str]) -> bool:
        """Whether it is in a service with these features."""
        return all(holds(condition, chosen) for condition in self.conditions)


def pieces(text: str, path: str) -> Sequence[Piece]:
    """The text without its markers, in order; neighbours differ in their conditions.

    Raises `InvalidMarker` for an unknown feature, a block that is not closed or was not opened, and
    what looks like a marker but is not one.
    """
    return _without_gaps(merged(piece for _, piece in _Reader(path).read(text)))


def conditions_by_line(text: str, path: str) -> Mapping[int, tuple[str, ...]]:
    """For each line that stays in a service on some conditions: those. Lines count from 1."""
    return {number: piece.conditions for number, piece in _Reader(path).read(text)}


def merged(all_pieces: Iterable[Piece]) -> Sequence[Piece]:
    """The same text, in which neighbours with the same conditions are one."""
    grouped = groupby(all_pieces, key=lambda piece: piece.conditions)
    return [
        Piece(text, conditions)
        for conditions, group in grouped
        if (text := "".join(piece.text for piece in group))
    ]


def _without_gaps(all_pieces: Sequence[Piece]) -> Sequence[Piece]:
    """The same text; where a block goes, the blank lines on both sides of it do not add up."""
    found = [*all_pieces]
    for at in range(1, len(found) - 1):
        before, block, after = found[at - 1 : at + 2]
        if block.conditions and not before.conditions and not after.conditions:
            behind = len(after.text) - len(after.text.lstrip("\n"))
            ahead = len(before.text) - len(before.text.rstrip("\n")) - 1
            shared = max(0, min(ahead, behind))
            found[at] = Piece(block.text + "\n" * shared, block.conditions)
            found[at + 1] = Piece(after.text[shared:], after.conditions)
    return found


class _Reader:
    def __init__(self, path: str) -> None:
        self._path = path
        self._line = 0
        self._open: list[tuple[str, int]] = []

    def read(self, text: str) -> Iterator[tuple[int, Piece]]:
        for self._line, line in enumerate(text.splitlines(keepends=True), start=1):
            yield from ((self._line, piece) for piece in self._pieces_of(line))
        if self._open:
            condition, self._line = self._open[-1]
            raise self._invalid(f"the block is not closed: add a line `end: {condition}`")

    def _pieces_of(self, line: str) -> Iterator[Piece]:
        body = line.rstrip("\r\n")
        if not _LEFT.search(body):
            yield self._piece(line)
        elif len(_WITHIN.findall(body)) > 1:
            yield from self._within(line)
        elif found := _ALONE.fullmatch(body):
            self._turn(*_parts(found.groups()))
        elif found := _BEHIND.fullmatch(body):
            kind, condition = _parts(found.groups()[1:])
            if kind == "end":
                raise self._invalid(
                    "`end:` stands alone in its line, or behind `only:` in Markdown"
                )
            self._turn("only", condition)
            yield self._piece(found[1] + line[len(body) :])
            self._turn("end", condition)
        else:
            raise self._invalid(
                "a marker reads `# only: kafka`, in Markdown `<!-- only: kafka -->`"
            )

    def _within(self, line: str) -> Iterator[Piece]:
        """Words of a line between two markers."""
        before, opened = 0, len(self._open)
        for found in _WITHIN.finditer(line):
            yield self._piece(line[before : found.start()])
            self._turn(found[1], found[2])
            before = found.end()
        if len(self._open) != opened:
            raise self._invalid(f"`only: {self._open[-1][0]}` is not closed in its line")
        yield self._piece(line[before:])

    def _turn(self, kind: str, condition: str) -> None:
        """Opens a block, or closes it."""
        try:
            holds(condition, ())
        except InvalidCondition as error:
            raise self._invalid(str(error)) from error
        if kind == "only":
            self._open.append((condition, self._line))
            return
        opened = self._open.pop()[0] if self._open else None
        if opened != condition:
            meant = f"the open block is `only: {opened}`" if opened else "no block is open"
            raise self._invalid(f"`end: {condition}` closes nothing: {meant}")

    def _piece(self, text: str) -> Piece:
        return Piece(text, tuple(dict.fromkeys(condition for condition, _ in self._open)))

    def _invalid(self, why: str) -> InvalidMarker:
        return InvalidMarker(f"{self._path}:{self._line}: {why}")


def _parts(groups: Sequence[str | None]) -> tuple[str, str]:
    kind, condition = (group for group in groups if group)
    return kind, condition
