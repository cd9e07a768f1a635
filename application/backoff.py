"""How long to wait between two attempts: longer each time, up to a limit, with jitter.

The caller counts the attempts, and starts again from 0 after a success.
"""

import asyncio
import random
from dataclasses import dataclass
from typing import Final

_DOUBLINGS: Final = 30  # avoids an overflow: the limit is reached long before


@dataclass(frozen=True)
class Backoff:
    """``await backoff(attempt)``, with attempts counted from 0. All times are in seconds."""

    first: float  # before the second attempt, at most; twice that before the third, and so on
    most: float
    at_least: float = 0.5  # the share without jitter: callers must not all come at once

    def longest(self, attempt: int) -> float:
        """The longest pause after that attempt."""
        return min(self.most, self.first * 2.0 ** min(attempt, _DOUBLINGS))

    def seconds(self, attempt: int, chance: float) -> float:
        """The pause after that attempt; ``chance`` (0 to 1) takes its share away."""
        return self.longest(attempt) * (1 - chance * (1 - self.at_least))

    async def __call__(self, attempt: int) -> None:
        await asyncio.sleep(self.seconds(attempt, random.random()))
