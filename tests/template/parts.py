"""Parts of the container that Python files use: a service has all that its files use."""

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Final

from tests.template import named
from tests.template.markers import conditions_by_line
from tests.template.tree import Entry

_CONTAINER: Final = "infrastructure/container.py"
_PART: Final = re.compile(r"\b(container\.\w+)")


def missing(entries: Sequence[Entry]) -> Iterator[str]:
    """``file:line:`` of each part that some service with that line does not have.

    Types do not show it: the container makes its attributes when it is made.
    """
    parts = {
        f"container.{name}": of
        for one in entries
        if one.path == _CONTAINER
        for name, of in _parts(one)
    }
    for entry in entries:
        if entry.path.endswith(".py") and not entry.form and entry.path != _CONTAINER:
            yield from named.missing(entry, _PART, lambda part: parts.get(part, frozenset()))


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
