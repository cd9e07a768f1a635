"""All that is written for speed: replacements for what the standard library and pydantic have.

Every event that is read, and every one that is folded, passes through these; the rest of the code
reads as if they were the originals. Measured in one run on Python 3.11, by
``python -m tests.domain.measure_speed``:

    here                     instead of                                     takes
    ``frozen``, 9 fields     ``dataclass(frozen=True)``, making one         0.4 of the time
    ``replace``, 1 of 6      ``dataclasses.replace``                        0.25
    ``once``, first call     ``functools.cached_property``                  0.3

``slotted`` and ``checked`` are one object each, where a frozen dataclass is two and a model three:
looking at them for garbage cost the filling of views more than anything else.
"""

import dataclasses
from collections.abc import Callable
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Self,
    TypeVar,
    cast,
    dataclass_transform,
    overload,
)

import pydantic.dataclasses
from pydantic import ConfigDict

S = TypeVar("S")
T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def frozen(cls: type[T]) -> type[T]:
    """``dataclass(frozen=True)``, with an ``__init__`` that sets all fields at once.

    The original sets them one by one, past its own ``__setattr__``. Defaults are plain values, and
    ``__post_init__`` is called if there is one.
    """
    made = dataclasses.dataclass(frozen=True)(cls)
    fields = [one.name for one in dataclasses.fields(made)]  # type: ignore[arg-type]  # it is one
    given = ", ".join(f"{name}={name}" for name in fields)
    return _made_by(made, f"vars(self).update({given})", {})


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def slotted(cls: type[T]) -> type[T]:
    """``dataclass(frozen=True, slots=True)``, as above: one object, where ``frozen`` makes two.

    For what is kept by the thousand, since the garbage collection looks at each object. It has no
    ``once``, and is changed by ``dataclasses.replace``.
    """
    made = dataclasses.dataclass(frozen=True, slots=True)(cls)
    fields = [one.name for one in dataclasses.fields(made)]  # type: ignore[arg-type]  # it is one
    setters = {f"set_{name}": getattr(made, name).__set__ for name in fields}
    return _made_by(made, "; ".join(f"set_{name}(self, {name})" for name in fields), setters)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def checked(cls: type[T]) -> type[T]:
    """A part of events, read, written and checked as a model: one object, where a model is three.

    For what an event has dozens of. Its fields are given by name.
    """
    config = ConfigDict(defer_build=True)
    made = pydantic.dataclasses.dataclass(frozen=True, slots=True, kw_only=True, config=config)
    return cast("type[T]", made(cls))


def _made_by(made: type[T], body: str, names: dict[str, Any]) -> type[T]:
    """A dataclass with an ``__init__`` of this body, which may use these names."""
    fields = dataclasses.fields(made)  # type: ignore[arg-type]  # it is one
    defaults = {one.name: one.default for one in fields if one.default is not dataclasses.MISSING}
    given = [f"{one.name}=_[{one.name!r}]" if one.name in defaults else one.name for one in fields]
    checked = "; self.__post_init__()" if hasattr(made, "__post_init__") else ""
    scope = {**names, "_": defaults}
    exec(f"def __init__(self, {', '.join(given)}): {body}{checked}", scope)
    setattr(made, "__init__", scope["__init__"])  # noqa: B010 - a checker knows the original one
    return made


if TYPE_CHECKING:
    from dataclasses import replace as replace  # by it, type checkers see the fields
else:

    def replace(state: S, **changes: Any) -> S:
        """``dataclasses.replace`` for a state that is nothing but its fields: no ``__init__``.

        Raises ``TypeError`` for a field that it does not have.
        """
        fields = state.__dict__ | changes
        if len(fields) > len(state.__dict__):
            raise TypeError(f"{type(state).__name__} has no {set(changes) - set(state.__dict__)}")
        new = object.__new__(type(state))
        object.__setattr__(new, "__dict__", fields)
        return new


class once(Generic[T]):  # noqa: N801 - a decorator
    """``functools.cached_property`` without the lock that it takes until Python 3.12."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make, self._name = make, make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> Self | T:
        if instance is None:
            return self
        made = instance.__dict__[self._name] = self._make(instance)
        return made
