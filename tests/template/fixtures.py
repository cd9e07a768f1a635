"""The fixtures that a page of tests asks for."""

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from tests.template.markers import conditions_by_line

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_USED: Final = "usefixtures"

Asked = tuple[str, int, tuple[str, ...]]
"""The name of a fixture, the line that asks for it, and on which conditions that line stands."""


@cache
def asked_for(source: Path, path: str) -> Sequence[Asked]:
    """By the parameters of tests and of other fixtures, and by marks; none if it is no test."""
    if source.suffix != ".py" or not path.startswith("tests/"):
        return ()
    text = source.read_text()
    lines = conditions_by_line(text, path)
    return [
        (name, line, tuple(sorted({*lines.get(one.lineno, ()), *lines.get(line, ())})))
        for one in ast.walk(ast.parse(text))
        if isinstance(one, _Function)
        for name, line in _asked_by(one)
    ]


def _asked_by(function: _Function) -> Iterator[tuple[str, int]]:
    """Names and lines; functions that pytest does not call ask for nothing."""
    marks = [ast.unparse(mark) for mark in function.decorator_list]
    if function.name.startswith("test_") or any("fixture" in mark for mark in marks):
        yield from ((one.arg, one.lineno) for one in function.args.args)
    for mark in function.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith(_USED):
            yield from ((str(ast.literal_eval(one)), one.lineno) for one in mark.args)
