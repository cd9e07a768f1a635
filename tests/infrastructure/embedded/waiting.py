"""Waiting for a condition, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

from tests.waiting import PATIENCE

_Value = TypeVar("_Value")


def eventually(look: Callable[[], _Value], expected: _Value, *, within: float = PATIENCE) -> _Value:
    """Look until it is as expected. Fails with what it was last."""
    deadline = time.monotonic() + within
    while (found := look()) != expected:
        assert time.monotonic() < deadline, f"still {found!r} after {within} s, not {expected!r}"
        time.sleep(0.01)
    return found
