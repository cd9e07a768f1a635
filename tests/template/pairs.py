"""Few choices in which each two values that can go together do so once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

Choice = Mapping[str, str]
Pair = tuple[tuple[str, str], tuple[str, str]]


def pairwise(
    values: Mapping[str, Sequence[str]],
    valid: Callable[[Choice], bool],
    given: Sequence[Choice] = (),
) -> Sequence[Choice]:
    """The given choices, and as many more as it takes. The same input has the same result."""
    everything = [*_choices(values, valid)]
    missing = {pair for choice in everything for pair in _pairs(choice)}
    chosen: list[Choice] = []
    for choice in given:
        chosen.append(choice)
        missing -= _pairs(choice)
    while missing:
        best = max(everything, key=lambda choice: len(missing & _pairs(choice)))
        chosen.append(best)
        missing -= _pairs(best)
    return chosen


def _choices(
    values: Mapping[str, Sequence[str]], valid: Callable[[Choice], bool]
) -> Iterator[Choice]:
    def grown(choice: dict[str, str], names: Sequence[str]) -> Iterator[Choice]:
        if not names:
            if valid(choice):
                yield choice
            return
        for value in values[names[0]]:
            yield from grown({**choice, names[0]: value}, names[1:])

    return grown({}, [*values])


def _pairs(choice: Choice) -> set[Pair]:
    return {(one, other) for one, other in combinations(sorted(choice.items()), 2)}
