"""Translates .NET's regular expressions to the syntax of the package ``regex``.

The server's filters are .NET's. Both engines can do nearly the same, in different syntax: groups
and their numbers, flags within an expression, set subtraction, escapes, and braces that are not
quantifiers. What .NET refuses is refused here, too. Balancing groups and conditions that are
expressions are refused, although .NET supports them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from embedded_eventstoredb.dotnet_characters import (
    Characters,
    PatternError,
    literal,
)

_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\??")
_OPENING: Final = re.compile(r"\(\?(?:[:=!>]|<[=!])")
_NAMED: Final = re.compile(r"\(\?(?:<(\w+)>|'(\w+)')")
_FLAGS: Final = re.compile(r"\(\?(?=[imnsx-]*[imnsx])([imnsx]*)(?:-([imnsx]*))?([:)])")
_COMMENT: Final = re.compile(r"\(\?#[^)]*\)")
_CONDITION: Final = re.compile(r"\(\?\((\w+)\)")
_REFERENCE: Final = re.compile(r"\\(?:([1-9]\d*)|k(?:<(\w+)>|'(\w+)'))")
_ANCHORS: Final = {"A": r"\A", "b": r"\b", "B": r"\B", "G": r"\G", "z": r"\Z", "Z": r"(?=\n?\Z)"}


def translated(pattern: str) -> str:
    """The pattern for ``regex`` (version 0) that matches what this one matches in .NET.

    Raises PatternError.
    """
    return _Translation(pattern).result()


@dataclass
class _Scope:
    """An open group, with the flags that were set within it."""

    extended: bool  # white space and comments are ignored (x)
    explicit: bool  # only named groups capture (n)
    inner: list[str] = field(default_factory=list)  # the openings of the groups for those flags


class _Reference(NamedTuple):
    """A reference to a group by its name or number, which may be defined later."""

    form: str
    group: str

    def resolved(self, names: Mapping[str, str]) -> str:
        """The reference with the translated name; ``names`` has it by name and by number."""
        if self.group not in names:
            raise PatternError(f"there is no group {self.group}")
        return self.form.format(names[self.group])


class _Translation:
    def __init__(self, pattern: str) -> None:
        self._text = Characters(pattern)
        self._out: list[str | _Reference] = []
        self._scopes = [_Scope(extended=False, explicit=False)]
        self._unnamed = 0
        self._names: dict[str, None] = {}  # in their order

    def result(self) -> str:
        while self._text.at < len(self._text.pattern):
            self._element()
        if len(self._scopes) > 1:
            raise PatternError("a group is not closed: ')' is missing")
        self._close_flags()
        groups = self._groups()
        return "".join(
            part if isinstance(part, str) else part.resolved(groups) for part in self._out
        )

    def _groups(self) -> dict[str, str]:
        """The translated name of each group, by name and by number: groups without a name come
        first.
        """
        ours = [f"_{number}" for number in range(1, self._unnamed + 1)] + [*self._names]
        numbered = {str(number): name for number, name in enumerate(ours, 1)}
        return {name: name for name in self._names} | numbered

    def _element(self) -> None:
        match self._text.pattern[self._text.at]:
            case "\\":
                self._escape()
            case "[":
                self._out.append(self._text.set())
            case "(":
                self._open()
            case ")":
                self._close()
            case "|":
                self._alternative()
            case "*" | "+" | "?":
                self._quantify()
            case "{" if _QUANTIFIER.match(self._text.pattern, self._text.at):
                self._quantify()
            case char if self._scopes[-1].extended and (char.isspace() or char == "#"):
                self._skip(char)
            case char:
                self._text.at += 1
                self._out.append(char if char in ".^$" else literal(char))

    def _skip(self, char: str) -> None:
        end = self._text.pattern.find("\n", self._text.at) if char == "#" else self._text.at
        self._text.at = len(self._text.pattern) if end < 0 else end + 1

    def _quantify(self) -> None:
        quantifier = self._text.found(_QUANTIFIER)
        assert quantifier is not None
        self._out.append(quantifier[0])
        if _QUANTIFIER.match(self._text.pattern, self._text.at):
            raise PatternError(f"a quantifier follows another at position {self._text.at}")

    def _open(self) -> None:
        scope = self._scopes[-1]
        if self._text.found(_COMMENT):
            return
        if flags := self._text.found(_FLAGS):
            self._flags(*flags.groups(default=""))
        elif opening := self._text.found(_OPENING):
            self._enter(opening[0])
        elif named := self._text.found(_NAMED):
            name = named[1] or named[2]
            self._enter("(?:" if name.isdecimal() else f"(?P<{self._named(name)}>")
        elif condition := self._text.found(_CONDITION):
            self._enter(_Reference("(?({})", condition[1]))
        elif self._text.pattern.startswith("(?", self._text.at):
            raise PatternError(f"an unknown kind of group begins at position {self._text.at}")
        else:
            self._text.at += 1
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
        """Flags for a group of their own, or from here to the end of the enclosing group."""
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
        self._text.at += 1
        self._close_flags()
        self._scopes.pop()
        if not self._scopes:
            raise PatternError("a ')' closes no group")
        self._out.append(")")

    def _alternative(self) -> None:
        """Flags set in one alternative apply to the later ones, too."""
        self._text.at += 1
        self._close_flags()
        self._out += ["|", *self._scopes[-1].inner]

    def _escape(self) -> None:
        if reference := self._text.found(_REFERENCE):
            group = reference[1] or reference[2] or reference[3]
            self._out.append(_Reference("(?P={})", group))
        elif (anchor := self._text.pattern[self._text.at + 1 : self._text.at + 2]) in _ANCHORS:
            self._text.at += 2
            self._out.append(_ANCHORS[anchor])
        else:
            self._out.append(self._text.escaped())


def _opening(on: str, off: str) -> str:
    """The opening of a group with these flags, as far as ``regex`` needs them."""
    known_on, known_off = ("".join(f for f in "ims" if f in flags) for flags in (on, off))
    return f"(?{known_on}{'-' if known_off else ''}{known_off}:"
