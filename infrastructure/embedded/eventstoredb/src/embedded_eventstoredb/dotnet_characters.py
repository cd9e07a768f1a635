"""Characters, classes and sets of a .NET expression, in the syntax of the package ``regex``."""

import re
from typing import Final

_PROPERTY: Final = re.compile(r"\\([pP])\{(Is)?([\w-]+)\}")
_CODE: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|c([A-Za-z@\[\]^_])|0([0-7]{0,2}))"
)
_CLASSES: Final = frozenset("dDsSwW")
_CONTROLS: Final = {"a": "\a", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class PatternError(ValueError):
    """The text is not a regular expression; the message is the reason."""


class Characters:
    """A pattern with a read position."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def found(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        """The match of the expression at the read position, which moves past it; None without a
        match.
        """
        found = expression.match(self.pattern, self.at)
        self.at = found.end() if found else self.at
        return found

    def escaped(self) -> str:
        """An escape that is valid both in a set and outside of one."""
        if found := self.found(_PROPERTY):
            return rf"\{found[1]}{{{'In' if found[2] else ''}{found[3]}}}"
        if found := self.found(_CODE):
            hexadecimal = found[1] or found[2]
            if found[3]:
                return literal(chr(ord(found[3].upper()) - 64))
            return literal(chr(int(hexadecimal, 16) if hexadecimal else int(found[4] or "0", 8)))
        char = self.pattern[self.at + 1 : self.at + 2]
        if not char:
            raise PatternError("it ends with a backslash")
        self.at += 2
        if char in _CLASSES:
            return f"\\{char}"
        if char not in _CONTROLS and (char.isalnum() or char == "_"):
            raise PatternError(f"\\{char} is not an escape, at position {self.at - 2}")
        return literal(_CONTROLS.get(char, char))

    def set(self) -> str:
        start = self.at
        self.at += 1
        parts = ["["]
        if self.pattern.startswith("^", self.at):
            self.at += 1
            parts.append("^")
        first = self.at
        while not self.pattern.startswith("]", self.at) or self.at == first:
            if self.at >= len(self.pattern):
                raise PatternError(f"the set at position {start} is not closed: ']' is missing")
            if self.pattern.startswith("-[", self.at) and self.at > first:
                self.at += 1
                return self._without("".join(parts) + "]", self.set())
            parts.append(self._member())
        self.at += 1
        return "".join(parts) + "]"

    def _without(self, members: str, others: str) -> str:
        if not self.pattern.startswith("]", self.at):
            raise PatternError(f"a set taken out of another ends it, at position {self.at}")
        self.at += 1
        return f"(?:(?!{others}){members})"

    def _member(self) -> str:
        """A member of a set: a character, a class or a range."""
        low = self._character()
        ahead = self.pattern[self.at : self.at + 2]
        if len(ahead) < 2 or ahead[0] != "-" or ahead[1] in "][" or low[1:2] in _CLASSES | {*"pP"}:
            return low
        self.at += 1
        return f"{low}-{self._character()}"

    def _character(self) -> str:
        if self.pattern.startswith(r"\b", self.at):
            self.at += 2
            return r"\x08"
        if self.pattern[self.at] == "\\":
            return self.escaped()
        self.at += 1
        return literal(self.pattern[self.at - 1])


def literal(char: str) -> str:
    return char if char.isalnum() or ord(char) > 127 else f"\\x{ord(char):02x}"
