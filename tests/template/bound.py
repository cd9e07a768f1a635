"""Names that a Python file imports or defines, and uses: what ruff finds in one service, in all."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tests.template.combinations import combinations
from tests.template.conditions import NEVER, holds, names_in
from tests.template.markers import conditions_by_line
from tests.template.tree import Entry

Conditions = tuple[str, ...]
Places = Mapping[str, set[Conditions]]


def unbound(entries: Sequence[Entry]) -> Iterator[str]:
    """``file: name …`` of each that some service imports and does not use, or uses without it."""
    for entry in entries:
        if entry.path.endswith(".py") and not entry.form and NEVER not in entry.conditions:
            text = entry.source.read_text()
            lines = conditions_by_line(text, entry.path)
            if any(lines.values()):
                yield from _wrong(entry, ast.parse(text), lines)


def _wrong(entry: Entry, tree: ast.Module, lines: Mapping[int, Conditions]) -> Iterator[str]:
    imported, defined = _imported(tree, lines), _defined(tree, lines)
    used, written = _used(tree, lines), _written(tree, lines)
    for name in ({*imported, *defined} & {*used}) - {*_local(tree)}:
        places = imported.get(name, set()) | defined.get(name, set())
        if chosen := _only(entry, used[name], places):
            yield f"{entry.path}: {name} is used, and not there, with {chosen}"
    for name, places in imported.items():
        if chosen := _only(entry, places, used.get(name, set()) | written.get(name, set())):
            yield f"{entry.path}: {name} is imported, and not used, with {chosen}"


def _only(entry: Entry, there: set[Conditions], without: set[Conditions]) -> str:
    """Features of a service in which one of these stands, and none of those; or nothing."""
    if () in without:
        return ""
    marks = {mark for one in (*there, *without) for mark in one} | entry.conditions
    names = frozenset(names_in({mark: mark for mark in marks}))
    for chosen in {every & names for every in combinations()}:
        is_there = _stand([tuple(entry.conditions)], chosen) and _stand(there, chosen)
        if is_there and not _stand(without, chosen):
            return ", ".join(sorted(chosen)) or "nothing"
    return ""


def _stand(places: Sequence[Conditions] | set[Conditions], chosen: frozenset[str]) -> bool:
    return any(all(holds(mark, chosen) for mark in one) for one in places)


def _imported(tree: ast.Module, lines: Mapping[int, Conditions]) -> Places:
    found: dict[str, set[Conditions]] = defaultdict(set)
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for one in node.names:
                marks = {*lines.get(node.lineno, ()), *lines.get(one.lineno, ())}
                found[(one.asname or one.name).partition(".")[0]].add(tuple(sorted(marks)))
    return found


def _defined(tree: ast.Module, lines: Mapping[int, Conditions]) -> Places:
    found: dict[str, set[Conditions]] = defaultdict(set)
    for node in tree.body:
        match node:
            case ast.ClassDef(name=str(name)) | ast.FunctionDef(name=str(name)):
                found[name].add(lines.get(node.lineno, ()))
            case ast.AsyncFunctionDef(name=str(name)) | ast.AnnAssign(target=ast.Name(id=name)):
                found[name].add(lines.get(node.lineno, ()))
            case ast.Assign(targets=[ast.Name(id=name)]):
                found[name].add(lines.get(node.lineno, ()))
    return found


def _local(tree: ast.Module) -> Iterator[str]:
    """Names that functions and classes have of their own."""
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            for node in ast.walk(scope):
                match node:
                    case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                        yield name


def _used(tree: ast.Module, lines: Mapping[int, Conditions]) -> Places:
    found: dict[str, set[Conditions]] = defaultdict(set)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found[node.id].add(lines.get(node.lineno, ()))
    return found


def _written(tree: ast.Module, lines: Mapping[int, Conditions]) -> Places:
    """Words in texts: of annotations, and of ``__all__``."""
    found: dict[str, set[Conditions]] = defaultdict(set)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for name in re.findall(r"\w+", node.value):
                found[name].add(lines.get(node.lineno, ()))
    return found
