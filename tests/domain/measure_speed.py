"""What the stand-ins of ``domain.speed`` take, beside the originals: nanoseconds a call."""

import dataclasses
from collections.abc import Callable
from functools import cached_property
from timeit import repeat

from domain.speed import frozen, once, replace

NUMBER = 200_000
FIELDS = [(name, int) for name in "abcdefghi"]


@dataclasses.dataclass(frozen=True)
class State:
    a: int = 0
    b: int = 0
    c: int = 0
    d: int = 0
    e: int = 0
    f: int = 0


class Read:
    @once
    def here(self) -> int:
        return 1

    @cached_property
    def original(self) -> int:
        return 1


def nanoseconds(call: Callable[[], object]) -> float:
    return min(repeat(call, number=NUMBER, repeat=5)) / NUMBER * 1e9


def main() -> None:
    """Measure and print."""
    original = dataclasses.make_dataclass("Original", FIELDS, frozen=True)
    here: Callable[..., object] = frozen(type("Here", (), {"__annotations__": dict(FIELDS)}))
    state, values = State(), tuple(range(9))
    for name, new, old in (
        ("frozen", lambda: here(*values), lambda: original(*values)),
        ("replace", lambda: replace(state, a=1), lambda: dataclasses.replace(state, a=1)),
        ("once", lambda: Read().here, lambda: Read().original),
    ):
        print(f"{name:8} {nanoseconds(new):6.0f} instead of {nanoseconds(old):6.0f}")


if __name__ == "__main__":
    main()
