"""The pinned packages of a service: those that its own dependencies lead to, and no others.

``uv`` writes behind each package which ones it is there for (``# via``). So a package belongs to a
feature when every way to it begins at a dependency that ``pyproject.toml`` marks for the feature.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Final

from tests.template.conditions import holds, names_in
from tests.template.markers import Piece, merged, pieces

Condition = frozenset[str]
"""Conditions on features, of which one has to hold; none of them: it holds nowhere."""

NEVER: Final[Condition] = frozenset()
ALWAYS: Final[Condition] = frozenset({""})
Needed = Mapping[str, Condition]

_BLOCK: Final = re.compile(r"^(?=[\w.-]+==)", re.MULTILINE)
_VIA: Final = re.compile(r"^    # +(?:via )?((?!via$)\S.*)$", re.MULTILINE)
_PROJECT: Final = " (pyproject.toml)"
_CONSTRAINT: Final = "-c "
_APART: Final = "\n# The following packages were excluded from the output:\n"
_LOCAL: Final = "embedded-eventstoredb"
"""A distribution of this repository: it is not pinned, but what it needs is."""
_EXTRA_OF: Final = {("grpcio-tools", "grpcio"): "esdbclient"}
"""What is there for an extra of another package (``grpcio[protobuf]``), and the one that needs it:
``uv`` writes the other package alone."""


@dataclass(frozen=True)
class Package:
    """One pinned package: its name, the lines that pin it, and what it is there for."""

    name: str
    lines: str
    via: Sequence[str]


def pinned(text: str, project: str) -> Sequence[Piece]:
    """A file of pinned packages in pieces, for a ``pyproject.toml`` with its markers."""
    if _PROJECT not in text:
        return [Piece(text)]
    pins, apart, names_apart = text.partition(_APART)
    head, *blocks = _BLOCK.split(pins)
    packages = [_package(block) for block in blocks]
    named = roots(project)
    needed = _needed(packages, named)
    lines = (line for package in packages for line in _lines(package, needed, named))
    return merged([Piece(head), *lines, _piece(apart + names_apart, needed[_LOCAL])])


def roots(project: str) -> Needed:
    """Each package that ``pyproject.toml`` names as a dependency, and on what condition."""
    table = tomllib.loads(project)["project"]
    extras = table["optional-dependencies"].values()
    named = {requirement for extra in (table["dependencies"], *extras) for requirement in extra}
    found: dict[str, Condition] = {}
    for piece in pieces(project, "pyproject.toml"):
        for requirement in named:
            if f'"{requirement}"' in piece.text:
                found.setdefault(_normal(requirement), NEVER)
                found[_normal(requirement)] |= {_all(*piece.conditions)}
    return {name: _simple(condition) for name, condition in found.items()}


def _normal(requirement: str) -> str:
    """The name of the package, as ``uv`` writes it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()


def _package(block: str) -> Package:
    lines = "".join(line for line in block.splitlines(keepends=True) if "    #" not in line)
    return Package(block.partition("==")[0], lines, _VIA.findall(block))


def _needed(packages: Sequence[Package], named: Needed) -> Needed:
    """On what condition each package is there: whoever it is there for, is."""
    needed: Needed = {_LOCAL: named.get(_LOCAL, NEVER)}
    while True:
        ways = {one.name: [_way(one, via, needed, named) for via in one.via] for one in packages}
        found = {name: _simple(NEVER.union(*conditions)) for name, conditions in ways.items()}
        if {**needed, **found} == needed:
            return needed
        needed = {**needed, **found}


def _way(package: Package, via: str, needed: Needed, named: Needed) -> Condition:
    if via.endswith(_PROJECT):
        return named[package.name]
    return needed.get(_EXTRA_OF.get((package.name, via), via), NEVER)


def _lines(package: Package, needed: Needed, named: Needed) -> Iterator[Piece]:
    """What pins it, then a comment as ``uv`` writes it: one name in its line, or a list."""
    there = needed[package.name]
    yield _piece(package.lines, there)
    shown = {via: _way(package, via, needed, named) for via in package.via}
    shown = {via: there if via.startswith(_CONSTRAINT) else on for via, on in shown.items()}
    if several := _simple(NEVER.union(*(_both(*two) for two in combinations(shown.values(), 2)))):
        yield _piece("    # via\n", several)
    for via, on in shown.items():
        others = NEVER.union(*(other for name, other in shown.items() if name != via))
        if not _implies(on, others):
            yield Piece(f"    # via {via}\n", _marks(on, but_not=others))
        if together := _both(on, several):
            yield _piece(f"    #   {via}\n", together)


def _piece(text: str, condition: Condition) -> Piece:
    return Piece(text, _marks(condition))


def _marks(condition: Condition, but_not: Condition = NEVER) -> tuple[str, ...]:
    """As markers have it: all of them hold."""
    holding = "" if condition == ALWAYS else " or ".join(_in_parentheses(condition))
    excluded = [f"not {one}" for one in _in_parentheses(but_not)]
    return tuple(filter(None, (holding, *excluded)))


def _in_parentheses(condition: Condition) -> Sequence[str]:
    return [one if one.isidentifier() else f"({one})" for one in sorted(condition)]


def _all(*conditions: str) -> str:
    return " and ".join(_in_parentheses(frozenset(filter(None, conditions))))


def _both(one: Condition, other: Condition) -> Condition:
    if _implies(one, other):
        return one
    if _implies(other, one):
        return other
    return _simple(frozenset(_all(*two) for two in product(one, other)))


def _simple(condition: Condition) -> Condition:
    """Without those that hold only where others do, too."""
    kept = condition
    for one in sorted(condition, key=len, reverse=True):
        if _implies(frozenset({one}), kept - {one}):
            kept -= {one}
    return kept


def _implies(one: Condition, other: Condition) -> bool:
    """Whether the other holds wherever this one does, whatever is chosen."""
    names = sorted(names_in({mark: mark for mark in (one | other) - ALWAYS}))
    choices = (
        frozenset(name for name, chosen in zip(names, flags, strict=True) if chosen)
        for flags in product((True, False), repeat=len(names))
    )
    return all(_holds(other, chosen) for chosen in choices if _holds(one, chosen))


def _holds(condition: Condition, chosen: frozenset[str]) -> bool:
    return any(not one or holds(one, chosen) for one in condition)
