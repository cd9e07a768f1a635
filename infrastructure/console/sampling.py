"""The figures of the last hour, sampled by this process: what it has not seen is a gap."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from application.messages import RecordedEvent
from application.ports import Found, StoreUnavailable
from infrastructure.console.pictures import Point

log = structlog.stdlib.get_logger(__name__)

EVERY: Final = 15.0  # seconds
HOUR: Final = 3600.0
Figures = Mapping[str, float | None]


@dataclass(frozen=True)
class _Sample:
    at: float
    figures: Figures


class Samples:
    """At most an hour of samples. After a restart there are none, and lines begin anew."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: deque[_Sample] = deque(maxlen=int(HOUR / EVERY))

    def take(self, figures: Figures) -> None:
        """Keep the figures of now."""
        self._kept.append(_Sample(self._clock(), figures))

    def of(self, name: str) -> Sequence[Point]:
        """A figure as points of a line, oldest first."""
        now = self._clock()
        recent = [one for one in self._kept if now - one.at <= HOUR]
        return [(now - one.at, one.figures.get(name)) for one in recent]

    @property
    def since(self) -> float | None:
        """Seconds since the oldest sample; ``None`` before the first."""
        return self._clock() - self._kept[0].at if self._kept else None


async def sample(samples: Samples, look: Callable[[], Awaitable[Figures]]) -> None:
    """Take a sample every ``EVERY`` seconds, for ever. What cannot be known is a gap."""
    while True:
        try:
            async with asyncio.timeout(EVERY / 2):
                samples.take(await look())
        except (StoreUnavailable, TimeoutError):
            samples.take({})
        except Exception:  # a bug in a figure must not end the others
            log.exception("a sample was not taken")
            samples.take({})
        await asyncio.sleep(EVERY)


def rate_of(newest: Found[RecordedEvent], now: float, within: float = 60.0) -> float:
    """Events a second in the last ``within`` seconds, by the newest ones."""
    ages = [now - one.recorded_at.timestamp() for one in newest.items]
    recent = [age for age in ages if age <= within]
    if len(recent) == len(ages) and newest.more and recent:  # there are more than these
        return len(recent) / max(recent[-1], 0.001)
    return len(recent) / within
