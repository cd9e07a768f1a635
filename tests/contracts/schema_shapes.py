"""JSON Schemas without prose, and with or without room for fields that they do not name."""

from collections.abc import Callable, Iterator
from typing import Any, Final

Form = dict[str, Any]

_BY_NAME: Final = ("properties", "patternProperties")
_PARTS: Final = ("items", "additionalItems", "additionalProperties", "propertyNames", "anyOf")
_PROSE: Final = ("title", "description", "examples")


def without_prose(schema: Form) -> Form:
    """The schema without what only people read."""
    return {
        key: value for key, value in _with_parts(schema, without_prose).items() if key not in _PROSE
    }


def knowing_all(schema: Form) -> Form:
    """The schema of a reader that reads no field besides those that it names."""
    known = _with_parts(schema, knowing_all)
    return {"additionalProperties": False, **known} if "properties" in known else known


def closed(schema: Form, at: str = "the data") -> Iterator[str]:
    """Where it refuses the fields that it does not name: ``the data``, ``the data.lines`` …"""
    if schema.get("additionalProperties") is False:
        yield at
    for name, part in _parts(schema):
        yield from closed(part, f"{at}.{name}" if name else at)


def _with_parts(schema: Form, change: Callable[[Form], Form]) -> Form:
    """The schema, with each schema that it is made of changed."""

    def changed(part: Any) -> Any:
        if isinstance(part, list):
            return [changed(one) for one in part]
        return change(part) if isinstance(part, dict) else part

    return {
        key: {name: changed(part) for name, part in value.items()}
        if key in _BY_NAME
        else changed(value)
        if key in _PARTS
        else value
        for key, value in schema.items()
    }


def _parts(schema: Form) -> Iterator[tuple[str, Form]]:
    """Each schema that it is made of, with its name if it is a field."""
    for key in _BY_NAME:
        yield from schema.get(key, {}).items()
    for key in _PARTS:
        found = schema.get(key)
        for part in found if isinstance(found, list) else [found]:
            if isinstance(part, dict):
                yield "", part
