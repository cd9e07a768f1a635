"""Conditions on features, such as ``kafka and not (s3 or search)``: read, weighed, written."""

import ast
from collections.abc import Collection, Mapping
from functools import cache
from typing import Final

from tests.template.features import FEATURES, PREFIX

NEVER: Final = "reference"
"""Belongs to the reference alone, and to no service that is made from it."""


class InvalidCondition(ValueError):
    """It is not made of names of features with ``and``, ``or``, ``not`` and parentheses."""


def holds(condition: str, chosen: Collection[str]) -> bool:
    """Whether it is true where exactly these features are chosen. Raises `InvalidCondition`."""
    return _holds(_tree(condition), chosen)


def as_jinja(condition: str) -> str:
    """The same in the words of the template. Raises `InvalidCondition`."""
    return _written(_tree(condition))


def both(conditions: Collection[str]) -> str:
    """One condition that holds where all of these hold."""
    return " and ".join(one if one.isidentifier() else f"({one})" for one in sorted(conditions))


@cache
def _tree(condition: str) -> ast.expr:
    try:
        tree = ast.parse(condition, mode="eval").body
    except SyntaxError as error:
        raise InvalidCondition(
            f"{condition!r} is not a condition: write it like kafka and not s3"
        ) from error
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) if name not in (*FEATURES, NEVER):
                raise InvalidCondition(
                    f"{name!r} is not a feature: it is one of {', '.join(FEATURES)}"
                )
            case (
                ast.Name()
                | ast.BoolOp()
                | ast.UnaryOp(op=ast.Not())
                | ast.And()
                | ast.Or()
                | ast.Not()
                | ast.Load()
            ):
                pass
            case _:
                raise InvalidCondition(f"{condition!r} has more in it than features, and, or, not")
    return tree


def _holds(node: ast.expr, chosen: Collection[str]) -> bool:
    match node:
        case ast.Name(id=name):
            return name in chosen
        case ast.UnaryOp(operand=operand):
            return not _holds(operand, chosen)
        case ast.BoolOp(op=op, values=values):
            return (all if isinstance(op, ast.And) else any)(_holds(one, chosen) for one in values)
    raise AssertionError(node)


def _written(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return "false" if name == NEVER else f"{PREFIX}{name}"
        case ast.UnaryOp(operand=operand):
            return f"not {_written(operand)}"
        case ast.BoolOp(op=op, values=values):
            word = " and " if isinstance(op, ast.And) else " or "
            return f"({word.join(map(_written, values))})"
    raise AssertionError(node)


def names_in(conditions: Mapping[str, str]) -> Collection[str]:
    """The features that these conditions speak of."""
    trees = map(_tree, conditions.values())
    return {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}
