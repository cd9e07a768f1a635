"""The stand-ins of ``domain.speed`` act as the originals do."""

from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from domain.speed import frozen, once


@frozen
class Here:
    a: int
    b: str = "b"
    c: float = field(default=1.5, repr=False, compare=False)

    @once
    def made(self) -> list[int]:
        return [self.a]


@dataclass(frozen=True)
class Original:
    a: int
    b: str = "b"
    c: float = field(default=1.5, repr=False, compare=False)


@pytest.mark.parametrize("given", [(1,), (1, "x"), (1, "x", 2.0)])
def test_a_frozen_one_is_made_compared_and_shown_as_a_dataclass(given: tuple[int]) -> None:
    """Fields, defaults, equality, hash and text are those of the original."""
    here, original = Here(*given), Original(*given)

    assert (here.a, here.b, here.c) == (original.a, original.b, original.c)
    assert repr(here) == repr(original).replace("Original", "Here")
    assert here == Here(*given)
    assert hash(here) == hash(Here(*given))
    assert Here(1, c=1.0) == Here(1, c=2.0)
    assert replace(here, a=7) == Here(7, here.b)


def test_a_frozen_one_stays_as_it_is() -> None:
    """Nothing can be assigned, and a field without a default has to be given."""
    with pytest.raises(FrozenInstanceError):
        Here(1).a = 2  # type: ignore[misc]  # which is the point
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'a'"):
        Here()  # type: ignore[call-arg]  # which is the point


def test_a_frozen_one_is_checked_as_it_asks() -> None:
    """``__post_init__`` is called with all fields set, as by the original."""

    @frozen
    class Checked:
        a: int

        def __post_init__(self) -> None:
            if self.a < 0:
                raise ValueError(f"{self.a} is below 0")

    assert Checked(1).a == 1
    with pytest.raises(ValueError, match="-1 is below 0"):
        Checked(-1)


def test_once_makes_a_value_once_for_each_instance() -> None:
    """The same object each time; a copy makes its own."""
    here = Here(1)

    assert here.made is here.made
    assert replace(here, a=2).made == [2]
