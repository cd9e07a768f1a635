"""The state of a decider."""

from dataclasses import dataclass

import pytest

from domain.decider import replace


@dataclass(frozen=True)
class Sum:
    units: int = 0
    times: int = 0


def test_replace_makes_another_state() -> None:
    """A state with other fields is a new one: the first stays, and no field is made up."""
    sum = Sum(units=1)

    assert replace(sum, units=2) == Sum(units=2)
    assert sum == Sum(units=1)
    with pytest.raises(TypeError, match="Sum has no"):
        replace(sum, unitts=2)  # type: ignore[call-arg]
