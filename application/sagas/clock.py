"""A clock that does not jump: the time of day when it was made, plus the time since."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def steady_clock(
    wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    passed: Callable[[], float] = time.monotonic,
) -> Callable[[], datetime]:
    """Setting the machine's clock does not move it, so no deadline comes early, or never.

    Two of them, made at different times, may disagree by what the machine's clock has jumped.
    """
    began, first = wall(), passed()

    def now() -> datetime:
        return began + timedelta(seconds=passed() - first)

    return now


STEADY = steady_clock()
"""The clock of this process."""
