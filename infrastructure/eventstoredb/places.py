"""Numbers that a server sends, checked in this one place before anything is built on them.

The protocol's numbers have 64 bits and no sign. A server writes -1, its word for "nowhere", as
2^64-1: so it names the position of a checkpoint before the first event. No place has a number of
2^63 or more. Of a position only the commit counts: a checkpoint's prepare position may be anything.
"""

from typing import Final

from application.ports import StoreUnavailable

_BEYOND: Final = 2**63  # what no version and no position reaches


def place(number: int) -> int | None:
    """The version or position that was sent, or ``None``: it is none."""
    return number if 0 <= number < _BEYOND else None


def required(number: int, what: str) -> int:
    """The same, where there must be one. Raises :class:`StoreUnavailable`, naming ``what``."""
    if (found := place(number)) is None:
        raise StoreUnavailable(f"EventStoreDB has sent {number} as {what}, which it cannot be")
    return found
