"""Parts of the container that Python files use: a service has all that its files use."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tests.template.combinations import lacking
from tests.template.conditions import NEVER, both
from tests.template.markers import conditions_by_line
from tests.template.tree import Entry

_CONTAINER: Final = "infrastructure/container.py"
_PART: Final = re.compile(r"\bcontainer\.(\w+)")


def missing(entries: Sequence[Entry]) -> Iterator[str]:
    """``file:line:`` of each part that some service with that line does not have.

    Types do not show it: the container makes its attributes when it is made.
    """
    parts = {name: of for one in entries if one.path == _CONTAINER for name, of in _parts(one)}
    for entry in entries:
        if entry.path.endswith(".py") and not entry.form and entry.path != _CONTAINER:
            yield from _missing(entry, parts)


def _missing(entry: Entry, parts: Mapping[str, frozenset[str]]) -> Iterator[str]:
    text = entry.source.read_text()
    lines = conditions_by_line(text, entry.path)
    for at in _PART.finditer(text):
        line = text.count("\n", 0, at.start()) + 1
        has = {*entry.conditions, *lines.get(line, ())}
        lacks = lacking(has, parts.get(at[1], frozenset()))
        if lacks and NEVER not in has:
            yield f"{entry.path}:{line}: {at[0]} is only there with {both(lacks)}"


def _parts(container: Entry) -> Iterator[tuple[str, frozenset[str]]]:
    """Each part with the conditions of all its definitions together."""
    text = container.source.read_text()
    lines = conditions_by_line(text, container.path)
    found: dict[str, frozenset[str]] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, marks = node.targets[0].id, frozenset(lines.get(node.lineno, ()))
            found[name] = found[name] & marks if name in found else marks
    yield from found.items()
