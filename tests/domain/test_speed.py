"""The stand-ins of ``domain.speed`` act as the originals do."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, replace
from typing import Any

import pytest
from pydantic import BaseModel, PositiveInt, TypeAdapter, ValidationError

from domain.speed import checked, frozen, once, slotted


@frozen
class Here:
    a: int
    b: str = "b"
    c: float = field(default=1.5, repr=False, compare=False)

    @once
    def made(self) -> list[int]:
        return [self.a]


@slotted
class Slotted:
    a: int
    b: str = "b"
    c: float = field(default=1.5, repr=False, compare=False)


@checked
class Checked:
    """A part of an event."""

    b: str = "b"
    a: PositiveInt


class Model(BaseModel):
    """A part of an event."""

    b: str = "b"
    a: PositiveInt


@dataclass(frozen=True)
class Original:
    a: int
    b: str = "b"
    c: float = field(default=1.5, repr=False, compare=False)


@pytest.mark.parametrize("kind", [Here, Slotted])
@pytest.mark.parametrize("given", [(1,), (1, "x"), (1, "x", 2.0)])
def test_a_frozen_one_is_made_compared_and_shown_as_a_dataclass(
    given: tuple[int], kind: type[Here | Slotted]
) -> None:
    """Fields, defaults, equality, hash and text are those of the original."""
    here, original = kind(*given), Original(*given)

    assert (here.a, here.b, here.c) == (original.a, original.b, original.c)
    assert repr(here) == repr(original).replace("Original", kind.__name__)
    assert here == kind(*given)
    assert hash(here) == hash(kind(*given))
    assert kind(1, c=1.0) == kind(1, c=2.0)
    assert replace(here, a=7) == kind(7, here.b)


@pytest.mark.parametrize("kind", [Here, Slotted])
def test_a_frozen_one_stays_as_it_is(kind: type[Here | Slotted]) -> None:
    """Nothing can be assigned, and a field without a default has to be given."""
    with pytest.raises(FrozenInstanceError):
        kind(1).a = 2  # type: ignore[misc]  # which is the point
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'a'"):
        kind()  # type: ignore[call-arg]  # which is the point


def test_a_checked_one_is_read_written_and_described_as_a_model() -> None:
    """What is stored, and what is refused, are those of a model with these fields."""
    here, model = TypeAdapter(Checked), TypeAdapter(Model)
    data = b'{"a": 1, "later": true}'

    assert here.dump_json(here.validate_json(data)) == model.dump_json(model.validate_json(data))
    assert here.json_schema() == model.json_schema() | {"title": "Checked"}
    for make in (Checked, Model):
        with pytest.raises(ValidationError, match="greater than 0"):
            make(a=0)


@pytest.mark.parametrize("made", [Slotted(1), Checked(a=1)])
def test_one_that_is_kept_by_the_thousand_is_one_object(made: object) -> None:
    """It has no dictionary, at which the garbage collection would look as well."""
    assert not hasattr(made, "__dict__")


@pytest.mark.parametrize("kind", [frozen, slotted])
def test_a_frozen_one_is_checked_as_it_asks(kind: Callable[[type], Any]) -> None:
    """``__post_init__`` is called with all fields set, as by the original."""

    class Positive:
        a: int

        def __post_init__(self) -> None:
            if self.a < 0:
                raise ValueError(f"{self.a} is below 0")

    made = kind(Positive)
    assert made(1).a == 1
    with pytest.raises(ValueError, match="-1 is below 0"):
        made(-1)


def test_once_makes_a_value_once_for_each_instance() -> None:
    """The same object each time; a copy makes its own."""
    here = Here(1)

    assert here.made is here.made
    assert replace(here, a=2).made == [2]
