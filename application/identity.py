"""Ids made of a content: the same content gives the same id, in every process and store.

A command is written in one canonical form before it is hashed. So its id depends neither on the
release of Python or pydantic, nor on the order of a mapping or set, nor on the spelling of a number
(2.5 is 2.50), nor on whether a default is sent or left out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from hashlib import sha1, sha256
from json import JSONEncoder
from typing import Any, Final
from uuid import UUID, SafeUUID

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from domain.decider import Command


def uuid5(namespace: UUID, name: str) -> UUID:
    """``uuid.uuid5`` of a text, the id of version 5 by RFC 9562, in 0.4 of its time.

    A whole order makes dozens of them.
    """
    digest = sha1(namespace.int.to_bytes(16, "big") + name.encode(), usedforsecurity=False).digest()
    made = object.__new__(UUID)
    _set_int(made, int.from_bytes(digest[:16], "big") & ~_VERSION_BITS | _VERSION_5)
    _set_safety(made, SafeUUID.unknown)
    return made


_set_int, _set_safety = (vars(UUID)[name].__set__ for name in ("int", "is_safe"))
_VERSION_BITS: Final = (0xC000 << 48) | (0xF000 << 64)  # with those of the variant
_VERSION_5: Final = (0x8000 << 48) | (0x5000 << 64)


def event_ids(command_id: UUID, command: Command, count: int) -> Sequence[UUID]:
    """The ids of the first ``count`` events of the command."""
    return _event_ids(command_id, command, canonical(command), count)


def is_first_of(id: UUID, command_id: UUID, command: Command) -> bool:
    """Whether ``id`` is that of the first event of this command, with this content.

    Recognises ids that earlier releases made in another way, too.
    """
    if [id] == event_ids(command_id, command, 1):
        return True
    return [id] == _event_ids(command_id, command, command.model_dump_json(), 1)


def _event_ids(command_id: UUID, command: Command, content: str, count: int) -> Sequence[UUID]:
    digest = sha256(f"{type(command).__name__} {content}".encode()).hexdigest()
    return [uuid5(command_id, f"{index} {digest}") for index in range(count)]


def canonical(content: object) -> str:
    """A value as JSON in its canonical form. Raises ``TypeError`` for a value that has none."""
    return _encode(_plain(content))


_encode: Final = JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def _plain(value: Any) -> Any:
    kind: Any = type(value)
    return value if kind in _AS_THEY_ARE else _writer(kind)(value)


@cache
def _writer(kind: type[Any]) -> Callable[[Any], Any]:
    """How values of a type are written; cached."""
    if issubclass(kind, BaseModel):
        return _of_fields({name: _default(field) for name, field in kind.model_fields.items()})
    if is_dataclass(kind):
        return _of_fields({field.name: field.default for field in fields(kind)})
    for known, write in _WRITERS:
        if issubclass(kind, known):
            return write
    raise TypeError(f"a {kind.__name__} has no canonical form: say in {__name__} how it is written")


def _default(field: FieldInfo) -> Any:
    return field.get_default(call_default_factory=True, validated_data={})


def _of_fields(defaults: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Defaults are left out, so that a new field changes no earlier id."""
    known = tuple(defaults.items())

    def write(model: Any) -> Any:
        return {
            name: value if type(value) in _AS_THEY_ARE else _plain(value)
            for name, default in known
            if (value := getattr(model, name)) != default
        }

    return write


def _decimal(value: Decimal) -> str:
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if value == 0 else text


def _moment(value: datetime) -> str:
    return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat()


def _mapping(value: Mapping[Any, Any]) -> Mapping[str, Any]:
    return {
        key if isinstance(key, str) else canonical(key): _plain(one) for key, one in value.items()
    }


def _sequence(value: Iterable[Any]) -> Sequence[Any]:
    return [_plain(one) for one in value]


def _set(value: Set[Any]) -> Sequence[str]:
    return sorted(map(canonical, value))


_AS_THEY_ARE: Final = frozenset((str, int, bool, type(None)))
_WRITERS: Final[Sequence[tuple[type[Any], Callable[[Any], Any]]]] = (  # the first that fits counts
    (Enum, lambda value: _plain(value.value)),
    (str, str.__str__),
    (int, int),
    (float, float),
    (Decimal, _decimal),
    (UUID, str),
    (datetime, _moment),
    (date, date.isoformat),
    (time, time.isoformat),
    (timedelta, lambda value: value // timedelta(microseconds=1)),
    (bytes, bytes.hex),
    (Mapping, _mapping),
    (Set, _set),
    (Sequence, _sequence),
)
