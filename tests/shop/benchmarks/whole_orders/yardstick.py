"""How fast this machine is just now: the same work, timed again and again beside what is measured.

A machine that shares its processor with others is a third slower in one minute than in the next.
Numbers of two runs compare after division by their yardsticks.
"""

import time
from statistics import median
from typing import Final

_ADDITIONS: Final = 20_000


class Yardstick:
    """Milliseconds of the processor for a fixed sum."""

    def __init__(self) -> None:
        self._taken: list[float] = []

    def measure(self) -> None:
        """Do the work once more; it takes about 1 ms."""
        began = time.thread_time()
        sum(number * number for number in range(_ADDITIONS))
        self._taken.append((time.thread_time() - began) * 1e3)

    @property
    def length(self) -> float:
        """The median so far. Raises ``StatisticsError`` before the first measure."""
        return median(self._taken)
