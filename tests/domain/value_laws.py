"""What holds for values of any domain."""

import types
from collections.abc import Iterator
from dataclasses import is_dataclass
from inspect import getmembers, isclass
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError


def takes_only(kind: Any, good: list[object], bad: list[object]) -> None:
    """A value of that kind is each of the good ones, and none of the bad ones."""
    reader = TypeAdapter[object](kind)
    for value in good:
        assert reader.validate_python(value) == value
    for value in bad:
        with pytest.raises(ValidationError):
            reader.validate_python(value)


def no_field_holds_a_float(*pages: types.ModuleType) -> None:
    """Events, commands, states and values of these pages are made of integers and decimals."""
    kinds = [kind for page in pages for _, kind in getmembers(page, isclass) if _has_fields(kind)]
    assert len(kinds) > 7 * len(pages), "the walk sees too little"
    assert {kind for kind in kinds if float in _parts(kind)} == set()


def _has_fields(kind: type) -> bool:
    return issubclass(kind, BaseModel) or is_dataclass(kind)


def _parts(hint: Any) -> Iterator[Any]:
    """A type and all the types it is made of."""
    yield hint
    for part in get_args(hint):
        yield from _parts(part)
    if isclass(hint) and not isinstance(hint, types.GenericAlias) and _has_fields(hint):
        for field in get_type_hints(hint).values():
            yield from _parts(field)
