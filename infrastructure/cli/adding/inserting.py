"""Adds an item to what a page declares: to a tuple, a list or a dictionary in one of its calls.

Everything else of the page stays as it is. Each function takes the text of a page and returns the
next, or raises :class:`PlaceNotFound`.
"""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from infrastructure.processes import CommandFailed


class PlaceNotFound(CommandFailed):
    """The page is not as it was made. The message says what to add by hand, and where."""


class Place(NamedTuple):
    """An argument of a call: ``Service(categories=…)``."""

    page: str
    call: str
    keyword: str
    position: int | None = None

    def missing(self, item: str) -> PlaceNotFound:
        return PlaceNotFound(
            f"{self.page} has no {self.call}({self.keyword}=…) with a list that can be added to, "
            f"so nothing was written. Make it one, and run the command again: {item} belongs there"
        )


def into(text: str, place: Place, item: str) -> str:
    """The item comes last in the collection at that place."""
    for call in _calls(ast.parse(text), place.call):
        value = _argument(call, place)
        if isinstance(value, ast.Name):
            value = _assigned(text, value.id)
        if isinstance(value, ast.Tuple | ast.List | ast.Dict):
            return _with_item(text, value, item, place)
    raise place.missing(item)


def has_list(text: str, place: Place) -> bool:
    """Whether there is a collection at that place, and not an expression."""
    values = [_argument(call, place) for call in _calls(ast.parse(text), place.call)]
    return any(isinstance(value, ast.Tuple | ast.List | ast.Dict | ast.Name) for value in values)


def with_imports(text: str, *statements: str) -> str:
    """Import statements more; ruff puts them in order, and those of one module together."""
    body = ast.parse(text).body
    first = next((node for node in body if isinstance(node, ast.Import | ast.ImportFrom)), None)
    if first is not None:
        at, gap = first.lineno - 1, ""
    elif body and isinstance(body[0], ast.Expr):  # the docstring
        at, gap = body[0].end_lineno or 1, "\n"
    else:
        at, gap = 0, ""
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:at], gap, *(f"{one}\n" for one in statements), gap, *lines[at:]])


def after(text: str, call: str, line: str) -> str:
    """The line stands behind the last assignment of such a call, or at the end of the page."""
    ends = [
        node.end_lineno or 0
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign | ast.AnnAssign) and call in ast.unparse(node)
    ]
    lines = text.rstrip("\n").splitlines()
    at = max(ends, default=len(lines))
    gap = [] if ends else ["", ""]
    return "\n".join([*lines[:at], *gap, line, *lines[at:]]) + "\n"


def with_route(text: str, page: str, package: str, name: str) -> str:
    """The router of one page more in what ``routes`` of the program returns."""
    what = Place(page, "Program", "routes")
    for call in _calls(ast.parse(text), "Program"):
        value = _argument(call, what)
        named = value.id if isinstance(value, ast.Name) else None
        for function in ast.walk(ast.parse(text)):
            if isinstance(function, ast.FunctionDef) and function.name == named:
                return _returning(text, function, what, package, name)
    raise what.missing(f"{name}.router")


def _returning(text: str, function: ast.FunctionDef, what: Place, package: str, name: str) -> str:
    returned = function.body[-1]
    match returned:
        case ast.Return(value=ast.List() | ast.Tuple() as routers):
            text = _with_item(text, routers, f"{name}.router", what)
        case ast.Return(value=ast.ListComp(generators=[ast.comprehension(iter=ast.Tuple() as of)])):
            text = _with_item(text, of, name, what)
        case _:
            raise what.missing(f"{name}.router")
    lines = text.splitlines(keepends=True)
    at = returned.lineno - 1
    statement = f"    from infrastructure.{package}.http import {name}\n"
    gap = "" if len(function.body) > 1 else "\n"
    return "".join([*lines[: at - (not gap)], statement, gap or "\n", *lines[at:]])


def with_module(text: str, package: str, module: str) -> str:
    """The module in the architecture rule about that package, where ``pyproject.toml`` has one."""
    for key in ("protected_modules", "allowed_importers"):
        rule = re.compile(rf'({key} = \[[^\]]*"application\.{package}"[^\]]*?)(,?\s*)\]')
        text = rule.sub(rf'\1,\n    "{module}",\n]', text, count=1)
    return text


def _calls(tree: ast.Module, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def _argument(call: ast.Call, place: Place) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == place.keyword:
            return keyword.value
    if place.position is not None and place.position < len(call.args):
        return call.args[place.position]
    return None


def _assigned(text: str, name: str) -> ast.expr | None:
    for node in ast.parse(text).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                return value
            case ast.AnnAssign(target=ast.Name(id=found), value=value) if found == name:
                return value
    return None


def _with_item(text: str, into: ast.Tuple | ast.List | ast.Dict, item: str, place: Place) -> str:
    raw = text.encode()
    end = _offset(raw, into.end_lineno or 0, into.end_col_offset or 0) - 1
    if raw[end : end + 1] not in (b")", b"]", b"}"):
        raise place.missing(item)
    members = into.values if isinstance(into, ast.Dict) else into.elts
    before = b""
    if members:
        last = members[-1]
        behind = raw[_offset(raw, last.end_lineno or 0, last.end_col_offset or 0) : end]
        before = b" " if b"," in re.sub(rb"#.*", b"", behind) else b", "
    several_lines = into.lineno != into.end_lineno
    comma = "," if several_lines or (isinstance(into, ast.Tuple) and not members) else ""
    return (raw[:end] + before + f"{item}{comma}".encode() + raw[end:]).decode()


def _offset(raw: bytes, line: int, column: int) -> int:
    """Of the byte at that place; lines count from 1, columns in bytes."""
    return sum(map(len, raw.splitlines(keepends=True)[: line - 1])) + column
