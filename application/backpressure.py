"""Backpressure: while the read models fall behind, commands from outside are slowed, then refused.

The lag of a read model is the age of its oldest missing event, or the time that it needs to catch
up at its present rate, whichever is longer. The age alone would react too late.

- **An unknown lag** counts as the last known one plus the time since. So a short silence slows no
  command, and a read model that no process fills counts as late, too.
- **A read model counts once it has caught up.** One that is new or was paused lags for another
  reason than today's commands. One that has failed or is paused needs an operator and does not
  count; it has an alert of its own.
- **Sagas and reactions are exempt**, so that what has begun is finished.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from application.projections.builds import Build
from application.projections.lag import Lag

LONGEST: Final = 1.0
"""The longest delay of a slowed command, in seconds."""
_SEEN_NOW: Final = 5.0  # seconds for which a report proves that a process is at work
_LOOK_AGAIN: Final = 0.1


class Overloaded(Exception):
    """The read models are too far behind. Nothing was done."""

    def __init__(self, projection: str, behind: float, retry_after: int) -> None:
        super().__init__(
            f"{projection} is {behind:.0f} s behind: nothing was done; "
            f"send the command again in {retry_after} s"
        )
        self.projection, self.behind, self.retry_after = projection, behind, retry_after


class Pressure(StrEnum):
    """What happens to commands now."""

    NONE = "none"
    SLOWED = "commands are slowed"
    REFUSED = "commands are refused"


@dataclass(frozen=True)
class _Known:
    behind: float  # seconds
    at: float  # by the clock


class Backpressure:
    """Decides by the lags that were observed last, without a query."""

    def __init__(
        self,
        *,
        slow: float = 10.0,
        refuse: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Limits in seconds of lag. ``clock`` returns seconds and is monotonic."""
        if not 0 < slow < refuse:
            raise ValueError(f"commands are slowed from {slow:g} s on, refused from {refuse:g} s")
        self._slow, self._refuse = slow, refuse
        self._clock, self._pause = clock, pause
        self._known: dict[Build, _Known] = {}

    def look(self, lags: Sequence[Lag]) -> None:
        """Observe the builds that answer queries; with ``events``, it reacts sooner."""
        live = {lag.build: lag for lag in lags if lag.answers}
        self._known = {build: seen for build, seen in self._known.items() if build in live}
        for build, lag in live.items():
            behind = _behind(lag)
            if lag.failed or lag.paused:
                self._known.pop(build, None)
            elif behind is not None and (build in self._known or behind < self._slow):
                self._known[build] = _Known(behind, self._clock())

    @property
    def pressure(self) -> Pressure:
        behind, _ = self._worst()
        if behind < self._slow:
            return Pressure.NONE
        return Pressure.SLOWED if behind < self._refuse else Pressure.REFUSED

    def require(self) -> None:
        """Raise :class:`Overloaded` while commands from outside are refused."""
        behind, projection = self._worst()
        if behind >= self._refuse:
            raise Overloaded(projection, behind, min(60, math.ceil(behind - self._slow)))

    async def admit(self) -> None:
        """Let a command from outside pass, at once or slowed. Raises :class:`Overloaded`."""
        self.require()
        behind, _ = self._worst()
        if behind < self._slow:
            return
        await self._pause(LONGEST * (behind - self._slow) / (self._refuse - self._slow))

    async def wait(self) -> None:
        """Let the next command of an import pass. An import waits, but is never refused.

        It waits while the read models are being filled and are too far behind. It does not wait
        for a read model that no process fills.
        """
        while self._seen_behind():
            await self._pause(_LOOK_AGAIN)

    def _worst(self) -> tuple[float, str]:
        """The largest lag that is possible now, and its read model."""
        now = self._clock()
        worst = [(seen.behind + now - seen.at, build.name) for build, seen in self._known.items()]
        return max(worst, default=(0.0, ""))

    def _seen_behind(self) -> bool:
        now = self._clock()
        return any(
            seen.behind >= self._slow and now - seen.at < _SEEN_NOW for seen in self._known.values()
        )


def _behind(lag: Lag) -> float | None:
    """Seconds; ``None`` when unknown."""
    if lag.seconds is None or lag.rate is None:  # no rate: no recent report
        return None
    return max(lag.seconds, lag.catch_up_in or 0.0)
