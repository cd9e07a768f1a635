"""What Python files import, and which fixtures tests ask for: a service has all that its files use.

Each use has conditions: those of its line.
"""

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final

from tests.template.combinations import lacking
from tests.template.conditions import NEVER, both
from tests.template.fixtures import asked_for
from tests.template.markers import conditions_by_line
from tests.template.tree import Entry

_PLACES: Final = (
    "",
    "infrastructure/embedded/eventstoredb/src/",
    "infrastructure/embedded/eventstoredb/tests/",
)
_NOT_BY_IMPORTS: Final = ("__init__.py", "__main__.py", "conftest.py")


@dataclass(frozen=True)
class Import:
    """One name that a file uses: where, on which conditions, and from which file."""

    line: int
    conditions: tuple[str, ...]
    file: str
    name: str | None = None


def by_imports(entries: Sequence[Entry]) -> Sequence[Entry]:
    """The same files; a page of tests belongs to what it uses in lines without a marker."""
    known = {entry.path: entry for entry in entries}
    changed = True
    while changed:
        changed = False
        for path, entry in known.items():
            if _by_imports(entry) and (more := _needed(entry, known)):
                known[path] = replace(entry, conditions=entry.conditions | more)
                changed = True
    return [known[entry.path] for entry in entries]


def dangling(entries: Sequence[Entry]) -> Iterator[str]:
    """``file:line:`` of each use of what some service does not have, and on what that depends."""
    known = {entry.path: entry for entry in entries}
    for entry in (one for one in entries if not one.form):
        for one in _used(entry, known):
            has = {*entry.conditions, *one.conditions}
            if lacks := lacking(has, _conditions(one, known)):
                what = f"{one.name} of {one.file}" if one.name else one.file
                where = f"{entry.path}:{one.line}"
                yield f"{where}: uses {what}, which is only there with {both(lacks)}"


def _by_imports(entry: Entry) -> bool:
    of_tests = entry.path.startswith("tests/") and not entry.path.endswith(_NOT_BY_IMPORTS)
    return of_tests and NEVER not in entry.conditions


def _needed(entry: Entry, known: Mapping[str, Entry]) -> frozenset[str]:
    unmarked = (one for one in _used(entry, known) if not one.conditions)
    needed = {condition for one in unmarked for condition in _conditions(one, known)}
    return lacking(entry.conditions, needed)


def _used(entry: Entry, known: Mapping[str, Entry]) -> Iterator[Import]:
    """What it imports, and the fixtures that it asks for, from the nearest file that has them."""
    yield from imports(entry.source, entry.path, frozenset(known))
    around = [f"{folder}/conftest.py" for folder in PurePosixPath(entry.path).parents]
    for name, line, conditions in asked_for(entry.source, entry.path):
        for place in (entry.path, *around):
            if place in known and name in definitions(known[place].source, place):
                yield Import(line, conditions, place, name)
                break


def _conditions(one: Import, known: Mapping[str, Entry]) -> Collection[str]:
    """On which conditions there is what is imported."""
    target = known[one.file]
    if NEVER in target.conditions:
        return {NEVER}
    of_the_name = definitions(target.source, target.path).get(one.name or "", ())
    return {*target.conditions, *of_the_name}


@cache
def imports(source: Path, path: str, files: Collection[str]) -> Sequence[Import]:
    """All imports of our own files in a file; none if it is not Python."""
    if source.suffix != ".py":
        return ()
    text = source.read_text()
    lines, found = conditions_by_line(text, path), list[Import]()
    for node in ast.walk(ast.parse(text)):
        for module, name, between in _named(node):
            if file := _file(module, name, files):
                conditions = {condition for line in between for condition in lines.get(line, ())}
                found.append(Import(between[-1], tuple(sorted(conditions)), *file))
    return found


def _named(node: ast.AST) -> Iterator[tuple[str, str | None, Sequence[int]]]:
    """The modules and names of an import, each with the lines that begin it."""
    match node:
        case ast.Import(names=names, lineno=line):
            yield from ((alias.name, None, (line, alias.lineno)) for alias in names)
        case ast.ImportFrom(module=str(module), names=names, lineno=line):
            yield from ((module, alias.name, (line, alias.lineno)) for alias in names)


def _file(module: str, name: str | None, files: Collection[str]) -> tuple[str, str | None] | None:
    path = module.replace(".", "/")
    for place in _PLACES:
        for candidate, left in (
            (f"{path}/{name}.py", None),
            (f"{path}/{name}/__init__.py", None),
            (f"{path}.py", name),
            (f"{path}/__init__.py", name),
        ):
            if f"{place}{candidate}" in files:
                return f"{place}{candidate}", left
    return None


@cache
def definitions(source: Path, path: str) -> Mapping[str, tuple[str, ...]]:
    """The names that a file defines or hands on in lines with conditions, and these."""
    text = source.read_text()
    lines = conditions_by_line(text, path)
    found: dict[str, tuple[str, ...]] = {}
    for node in ast.parse(text).body:
        match node:
            case (
                ast.ClassDef(name=name)
                | ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
            ):
                found[name] = lines.get(node.lineno, ())
            case ast.AnnAssign(target=ast.Name(id=name)):
                found[name] = lines.get(node.lineno, ())
            case ast.Assign(targets=[ast.Name(id=name)]):
                found[name] = lines.get(node.lineno, ())
            case ast.ImportFrom(names=names) | ast.Import(names=names):
                for alias in names:
                    conditions = {*lines.get(node.lineno, ()), *lines.get(alias.lineno, ())}
                    found[alias.asname or alias.name] = tuple(sorted(conditions))
    return found
