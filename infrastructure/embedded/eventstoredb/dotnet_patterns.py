"""Regular expressions as .NET reads them, in the words of the package ``regex``.

The server's filters are .NET's. Both engines know nearly the same, and write it differently: groups
and their numbers, flags that begin in the middle, sets with others taken out, escapes, and braces
that are no quantifier. What .NET refuses is refused here, too; balancing groups and conditions that
are expressions are refused though .NET knows them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\??")
_OPENING: Final = re.compile(r"\(\?(?:[:=!>]|<[=!])")
_NAMED: Final = re.compile(r"\(\?(?:<(\w+)>|'(\w+)')")
_FLAGS: Final = re.compile(r"\(\?(?=[imnsx-]*[imnsx])([imnsx]*)(?:-([imnsx]*))?([:)])")
_COMMENT: Final = re.compile(r"\(\?#[^)]*\)")
_CONDITION: Final = re.compile(r"\(\?\((\w+)\)")
_REFERENCE: Final = re.compile(r"\\(?:([1-9]\d*)|k(?:<(\w+)>|'(\w+)'))")
_PROPERTY: Final = re.compile(r"\\([pP])\{(Is)?([\w-]+)\}")
_CODE: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|c([A-Za-z@\[\]^_])|0([0-7]{0,2}))"
)
_CLASSES: Final = frozenset("dDsSwW")
_CONTROLS: Final = {"a": "\a", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ANCHORS: Final = {"A": r"\A", "b": r"\b", "B": r"\B", "G": r"\G", "z": r"\Z", "Z": r"(?=\n?\Z)"}


class PatternError(ValueError):
    """The text is no regular expression; the message says why."""


def translated(pattern: str) -> str:
    """A pattern that means to ``regex`` (version 0) what this one means to .NET.

    Raises PatternError.
    """
    return _Translation(pattern).result()


@dataclass
class _Scope:
    """A group that is open, with the flags that began within it."""

    extended: bool  # white space and comments are nothing (x)
    explicit: bool  # only named groups are remembered (n)
    inner: list[str] = field(default_factory=list)  # how the groups for those flags open


class _Reference(NamedTuple):
    """What refers to a group, by its name or number, which may be known only later."""

    form: str
    group: str

    def resolved(self, names: Mapping[str, str]) -> str:
        """With our name of the group; ``names`` has it by its own and by its number."""
        if self.group not in names:
            raise PatternError(f"there is no group {self.group}")
        return self.form.format(names[self.group])


class _Translation:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._out: list[str | _Reference] = []
        self._scopes = [_Scope(extended=False, explicit=False)]
        self._unnamed = 0
        self._names: dict[str, None] = {}  # in their order

    def result(self) -> str:
        while self._at < len(self._pattern):
            self._element()
        if len(self._scopes) > 1:
            raise PatternError("a group is not closed: ')' is missing")
        self._close_flags()
        groups = self._groups()
        return "".join(
            part if isinstance(part, str) else part.resolved(groups) for part in self._out
        )

    def _groups(self) -> dict[str, str]:
        """Our name of each group, by its own and by its number: those without a name come first."""
        ours = [f"_{number}" for number in range(1, self._unnamed + 1)] + [*self._names]
        numbered = {str(number): name for number, name in enumerate(ours, 1)}
        return {name: name for name in self._names} | numbered

    def _element(self) -> None:
        match self._pattern[self._at]:
            case "\\":
                self._escape()
            case "[":
                self._out.append(self._set())
            case "(":
                self._open()
            case ")":
                self._close()
            case "|":
                self._alternative()
            case "*" | "+" | "?":
                self._quantify()
            case "{" if _QUANTIFIER.match(self._pattern, self._at):
                self._quantify()
            case char if self._scopes[-1].extended and (char.isspace() or char == "#"):
                self._skip(char)
            case char:
                self._at += 1
                self._out.append(char if char in ".^$" else _literal(char))

    def _found(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        """The expression, where it is next; then that is passed."""
        found = expression.match(self._pattern, self._at)
        self._at = found.end() if found else self._at
        return found

    def _skip(self, char: str) -> None:
        end = self._pattern.find("\n", self._at) if char == "#" else self._at
        self._at = len(self._pattern) if end < 0 else end + 1

    def _quantify(self) -> None:
        quantifier = self._found(_QUANTIFIER)
        assert quantifier is not None
        self._out.append(quantifier[0])
        if _QUANTIFIER.match(self._pattern, self._at):
            raise PatternError(f"a quantifier follows another at position {self._at}")

    def _open(self) -> None:
        scope = self._scopes[-1]
        if self._found(_COMMENT):
            return
        if flags := self._found(_FLAGS):
            self._flags(*flags.groups(default=""))
        elif opening := self._found(_OPENING):
            self._enter(opening[0])
        elif named := self._found(_NAMED):
            name = named[1] or named[2]
            self._enter("(?:" if name.isdecimal() else f"(?P<{self._named(name)}>")
        elif condition := self._found(_CONDITION):
            self._enter(_Reference("(?({})", condition[1]))
        elif self._pattern.startswith("(?", self._at):
            raise PatternError(f"an unknown kind of group begins at position {self._at}")
        else:
            self._at += 1
            self._enter("(?:" if scope.explicit else f"(?P<{self._numbered()}>")

    def _named(self, name: str) -> str:
        self._names[name] = None
        return name

    def _numbered(self) -> str:
        self._unnamed += 1
        return f"_{self._unnamed}"

    def _enter(self, opening: "str | _Reference") -> None:
        self._out.append(opening)
        outer = self._scopes[-1]
        self._scopes.append(_Scope(outer.extended, outer.explicit))

    def _flags(self, on: str, off: str, end: str) -> None:
        """Flags of a group of their own, or from here to the end of the group around them."""
        if end == ":":
            self._enter(_opening(on, off))
            scope = self._scopes[-1]
        else:
            scope = self._scopes[-1]
            scope.inner.append(_opening(on, off))
            self._out.append(scope.inner[-1])
        scope.extended = ("x" in on or scope.extended) and "x" not in off
        scope.explicit = ("n" in on or scope.explicit) and "n" not in off

    def _close_flags(self) -> None:
        self._out.append(")" * len(self._scopes[-1].inner))

    def _close(self) -> None:
        self._at += 1
        self._close_flags()
        self._scopes.pop()
        if not self._scopes:
            raise PatternError("a ')' closes no group")
        self._out.append(")")

    def _alternative(self) -> None:
        """Flags that began in one alternative hold in those after it as well."""
        self._at += 1
        self._close_flags()
        self._out += ["|", *self._scopes[-1].inner]

    def _escape(self) -> None:
        if reference := self._found(_REFERENCE):
            group = reference[1] or reference[2] or reference[3]
            self._out.append(_Reference("(?P={})", group))
        elif (anchor := self._pattern[self._at + 1 : self._at + 2]) in _ANCHORS:
            self._at += 2
            self._out.append(_ANCHORS[anchor])
        else:
            self._out.append(self._escaped())

    def _escaped(self) -> str:
        """An escape that may stand in a set as well as outside of one."""
        if found := self._found(_PROPERTY):
            return rf"\{found[1]}{{{'In' if found[2] else ''}{found[3]}}}"
        if found := self._found(_CODE):
            hexadecimal = found[1] or found[2]
            if found[3]:
                return _literal(chr(ord(found[3].upper()) - 64))
            return _literal(chr(int(hexadecimal, 16) if hexadecimal else int(found[4] or "0", 8)))
        char = self._pattern[self._at + 1 : self._at + 2]
        if not char:
            raise PatternError("it ends with a backslash")
        self._at += 2
        if char in _CLASSES:
            return f"\\{char}"
        if char not in _CONTROLS and (char.isalnum() or char == "_"):
            raise PatternError(f"\\{char} is no escape, at position {self._at - 2}")
        return _literal(_CONTROLS.get(char, char))

    def _set(self) -> str:
        start = self._at
        self._at += 1
        parts = ["["]
        if self._pattern.startswith("^", self._at):
            self._at += 1
            parts.append("^")
        first = self._at
        while not self._pattern.startswith("]", self._at) or self._at == first:
            if self._at >= len(self._pattern):
                raise PatternError(f"the set at position {start} is not closed: ']' is missing")
            if self._pattern.startswith("-[", self._at) and self._at > first:
                self._at += 1
                return self._without("".join(parts) + "]", self._set())
            parts.append(self._member())
        self._at += 1
        return "".join(parts) + "]"

    def _without(self, members: str, others: str) -> str:
        if not self._pattern.startswith("]", self._at):
            raise PatternError(f"a set taken out of another ends it, at position {self._at}")
        self._at += 1
        return f"(?:(?!{others}){members})"

    def _member(self) -> str:
        """A character of a set, a class of them, or a range."""
        low = self._character()
        ahead = self._pattern[self._at : self._at + 2]
        if len(ahead) < 2 or ahead[0] != "-" or ahead[1] in "][" or low[1:2] in _CLASSES | {*"pP"}:
            return low
        self._at += 1
        return f"{low}-{self._character()}"

    def _character(self) -> str:
        if self._pattern.startswith(r"\b", self._at):
            self._at += 2
            return r"\x08"
        if self._pattern[self._at] == "\\":
            return self._escaped()
        self._at += 1
        return _literal(self._pattern[self._at - 1])


def _opening(on: str, off: str) -> str:
    """How a group begins that has these flags, of those that ``regex`` has to know."""
    known_on, known_off = ("".join(f for f in "ims" if f in flags) for flags in (on, off))
    return f"(?{known_on}{'-' if known_off else ''}{known_off}:"


def _literal(char: str) -> str:
    return char if char.isalnum() or ord(char) > 127 else f"\\x{ord(char):02x}"
