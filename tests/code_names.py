"""Which names the project's Python files define, so that documentation can be checked for them."""

import ast
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
ROOMS: Final = ("domain", "application", "infrastructure", "tests")


@cache
def names_in(file: Path) -> Collection[str]:
    """``Stock``, ``Stock.on_hand``: all that the file defines, and what a package hands on."""
    tree = ast.parse(file.read_text())
    handed_on = _imported(tree) if file.name == "__init__.py" else ()
    return {*_names(tree.body), *handed_on}


def places_of(name: str) -> Collection[str]:
    """The files that define it, relative to the root."""
    files = (file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py")))
    return [str(file.relative_to(ROOT)) for file in files if name in names_in(file)]


def _names(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case ast.ClassDef(name=name):
                yield name
                yield from (f"{name}.{member}" for member in _names(node.body))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case _:
                pass


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
