"""Versions and positions that a server sends, checked in this one place.

The protocol's numbers are unsigned, with 64 bits. A server writes -1, its value for "nowhere", as
2^64-1, such as the position of a checkpoint before the first event. A real number is below 2^63. Of
a position only the commit position counts: the prepare position of a checkpoint is arbitrary.
"""

from typing import Final

from application.ports import StoreUnavailable

_BEYOND: Final = 2**63  # what no version and no position reaches


def place(number: int) -> int | None:
    """The version or position that was sent; ``None`` for "nowhere"."""
    return number if 0 <= number < _BEYOND else None


def required(number: int, what: str) -> int:
    """The same, but raises :class:`StoreUnavailable` for "nowhere", naming ``what``."""
    if (found := place(number)) is None:
        raise StoreUnavailable(f"EventStoreDB has sent {number} as {what}, which it cannot be")
    return found
