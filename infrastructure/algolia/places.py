"""The order of views, by rank and key, as numbers of Algolia.

Algolia orders by numbers exactly, but by the first 50 bytes of a text only, and compares no texts
in a filter. Its numbers have 15 digits, so an order takes several of them.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, Self

NUMBERS: Final = ("rank_1", "rank_2", "key_1", "key_2", "key_3")
"""The attributes, the most significant first. What comes first has the smaller numbers."""

_LEADING, _TRAILING = 13, 15  # digits of the two numbers of a rank
_DIGITS: Final = _LEADING + _TRAILING
_LARGEST: Final = 200  # exponent of a rank
_BYTES: Final = 6  # of the key, in each number


class Place(NamedTuple):
    """Where a view stands: the larger rank first, then by key."""

    numbers: Sequence[int]
    key: str

    @classmethod
    def of(cls, rank: Decimal | int, key: str) -> Self:
        """``ValueError`` for a rank of more than 28 digits, or beyond 200 of them."""
        return cls((*_rank(rank), *_key(key)), key)

    @classmethod
    def in_(cls, record: Mapping[str, Any]) -> Self:
        return cls(tuple(int(record[number]) for number in NUMBERS), record["key"])

    def and_beyond(self) -> Sequence[Sequence[str]]:
        """A numeric filter: what has the same numbers, or stands behind them."""
        return [
            [
                *(f"{NUMBERS[before]}>{self.numbers[before]}" for before in range(at)),
                f"{NUMBERS[at]}>={self.numbers[at]}",
            ]
            for at in range(len(NUMBERS))
        ]


def _rank(rank: Decimal | int) -> Sequence[int]:
    number = Decimal(rank)
    if not number:
        return 0, 0
    if not number.is_finite() or abs(number.adjusted()) >= _LARGEST:
        raise ValueError(f"{rank} cannot be a rank in Algolia: give one from 1E-199 to 9E+199")
    digits = "".join(map(str, number.as_tuple().digits)).lstrip("0").rstrip("0")
    if len(digits) > _DIGITS:
        raise ValueError(f"{rank} cannot be a rank in Algolia: round it to {_DIGITS} digits")
    filled = digits.ljust(_DIGITS, "0")
    leading = (number.adjusted() + _LARGEST) * 10**_LEADING + int(filled[:_LEADING])
    sign = 1 if number < 0 else -1  # the largest comes first
    return sign * leading, sign * int(filled[_LEADING:])


def _key(key: str) -> Sequence[int]:
    """The first 18 bytes."""
    size = 3 * _BYTES
    start = key.encode()[:size].ljust(size, b"\0")
    return [int.from_bytes(start[at : at + _BYTES]) for at in range(0, size, _BYTES)]
