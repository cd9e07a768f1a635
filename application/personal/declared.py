"""The personal fields of an event type, as its class declares them. Found once for each type."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from types import UnionType
from typing import (
    Annotated,
    Any,
    Final,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import BaseModel, RootModel, TypeAdapter, ValidationError

from domain.personal import Personal, Subject

EACH: Final = "*"
"""A step of a path: each item of a list, or each value of a mapping."""

Path = tuple[str, ...]


class WronglyDeclared(ValueError):
    """The personal data of an event cannot be kept as it is declared. The message says why."""


@dataclass(frozen=True)
class PersonalField:
    """A field that holds personal data, and what it reads as without."""

    path: Path
    mask: Any


@dataclass(frozen=True)
class Declared:
    """The personal data of an event type, which may be no more than whom it is about."""

    subject: Path
    """Of the field that names the data subject."""
    fields: tuple[PersonalField, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names of the personal fields, and of the one that names the data subject."""
        last = (next(step for step in reversed(one.path) if step != EACH) for one in self.fields)
        return frozenset([self.subject[-1], *last])

    def under(self, field: str) -> "Declared":
        """The same, of an event that has such data in that field."""
        moved = (PersonalField((field, *one.path), one.mask) for one in self.fields)
        return Declared((field, *self.subject), tuple(moved))


_NO_NAMES: Final = "the places of a tuple have no names: write a model instead"
_HOLDS_ITSELF: Final = PersonalField((), None)


@cache
def declared(event: type[BaseModel]) -> Declared | None:
    """What an event type declares; ``None`` for one that is not about a person.

    Raises :class:`WronglyDeclared`.
    """
    try:
        found = tuple(_in_model(event, (), ()))
        fields = tuple(one for one in found if one != _HOLDS_ITSELF)
        if fields and _HOLDS_ITSELF in found:
            raise WronglyDeclared("a model in it holds itself: personal data needs a fixed depth")
        subjects = [name for name, type in _fields(event) if Subject in _marks(type)]
        if len(subjects) > 1 or (fields and not subjects):
            names = " and ".join(subjects) or "no field"
            raise WronglyDeclared(f"{names} is its data subject: mark one, Annotated[…, Subject]")
        return Declared((subjects[0],), fields) if subjects else None
    except (WronglyDeclared, NameError) as error:  # NameError: of a type that is not defined
        raise WronglyDeclared(f"{event.__name__}: {error}") from None


def _in_model(model: type[Any], path: Path, within: tuple[type, ...]) -> Iterator[PersonalField]:
    if model in within:
        yield _HOLDS_ITSELF
        return
    for name, type in _fields(model):
        yield from _in(type, (*path, name), (*within, model))


def _fields(model: type[Any]) -> Iterator[tuple[str, Any]]:
    """The names of its fields, as they are stored, and their types with all marks."""
    if not issubclass(model, BaseModel):
        yield from get_type_hints(model, include_extras=True).items()
        return
    if not model.__pydantic_fields_complete__:  # a type in it was defined after it
        model.model_rebuild()
    aliases = model.model_config.get("serialize_by_alias")
    for name, info in model.model_fields.items():
        type = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
        yield (info.serialization_alias if aliases else None) or name, type


def _in(type: Any, path: Path, within: tuple[Any, ...]) -> Iterator[PersonalField]:
    """The personal fields in a value of that type, which stands at that path."""
    origin, args = get_origin(type), get_args(type)
    if mark := next((one for one in _own_marks(type) if _is(Personal, one)), None):
        mask = mark.mask if isinstance(mark, Personal) else Personal().mask
        yield _checked(PersonalField(path, mask), type)
    elif origin in (Annotated, Required, NotRequired):
        yield from _in(args[0], path, within)
    elif origin in (Union, UnionType):
        for one in args:
            yield from _in(one, path, within)
    elif _kind(origin, Mapping):
        if any(one != _HOLDS_ITSELF for one in _in(args[0], path, within)):
            raise _wrong(path, "the keys of a mapping cannot be masked: keep a list of models")
        yield from _in(args[1], (*path, EACH), within)
    elif _kind(origin, Collection):
        found = [field for one in args for field in _in(one, (*path, EACH), within)]
        if found and origin is tuple and len(args) > 1 and args[1] is not Ellipsis:
            raise _wrong(path, _NO_NAMES)
        yield from found
    elif _kind(type, RootModel):
        yield from _in(type.model_fields["root"].annotation, path, within)
    elif _kind(type, BaseModel) or is_dataclass(type) or _is_typed_dict(type):
        yield from _in_model(type, path, within)
    elif _kind(type, tuple) and [*_in_model(type, path, within)]:
        raise _wrong(path, _NO_NAMES)
    elif alias := getattr(type, "__value__", None) or getattr(type, "__supertype__", None):
        yield from _in(alias, path, within)


def _checked(field: PersonalField, type: Any) -> PersonalField:
    try:
        TypeAdapter(type).validate_json(json.dumps(field.mask))
    except ValidationError:
        why = f"its type cannot hold the mask {field.mask!r}: give one that it can, in"
        raise _wrong(field.path, f"{why} Personal(mask=…)") from None
    return field


def _own_marks(type: Any) -> tuple[Any, ...]:
    return get_args(type)[1:] if get_origin(type) is Annotated else ()


def _marks(type: Any) -> Iterator[Any]:
    """All marks of a type, those of its alternatives too."""
    yield from (one if isinstance(one, _CLASS) else one.__class__ for one in _own_marks(type))
    if get_origin(type) in (Annotated, Union, UnionType):
        for one in get_args(type):
            yield from _marks(one)


_CLASS: Final = type


def _is(mark: type, one: Any) -> bool:
    return one is mark or isinstance(one, mark)


def _kind(type: Any, of: type) -> bool:
    return isinstance(type, _CLASS) and issubclass(type, of)


def _wrong(path: Path, why: str) -> WronglyDeclared:
    return WronglyDeclared(f"{'.'.join(path)}: {why}")


def _is_typed_dict(type: Any) -> bool:
    """Of ``typing`` or of its backport, which pydantic wants before Python 3.12."""
    return hasattr(type, "__required_keys__")
