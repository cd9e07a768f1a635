"""Backpressure: while the read models fall behind, commands from outside are slowed, then refused.

The lag of a read model is the age of its oldest missing event, or the time that it needs to take in
the events that are missing, whichever is longer. The age is a fact, but it shows an overload late:
when it reaches a limit, the events that wait already take longer. The time needed is an estimate:

- **The pace is measured while the read model is behind** (:mod:`application.projections.pace`), not
  while it waits for events. Until it has been measured, the age counts alone.
- **An estimate counts up to five times the age.** So a read model that was behind for a few seconds
  never makes the service refuse commands, whatever its pace was in them.

Which read models count, and which commands:

- **An unknown lag** counts as the last known one plus the time since. So a short silence, such as a
  restart, slows no command, and a read model that no process fills counts as late, too.
- **A read model counts once it has caught up.** One that is new or was paused lags for another
  reason than today's commands. One that has failed or is paused needs an operator and does not
  count; it has an alert of its own.
- **Once commands are refused**, they are let in again halfway between the two limits. So the
  service does not change its mind with each look.
- **Sagas and reactions are exempt**, so that what has begun is finished.
"""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import (
    Awaitable,
    Callable,
    Collection,  # only: search
    Sequence,
)
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from application.projections.builds import Build
from application.projections.lag import Lag
from application.projections.pace import Pace

LONGEST: Final = 1.0
"""The longest delay of a slowed command, in seconds."""
FORESIGHT: Final = 5.0
"""How many times the age an estimate may be."""
_SEEN_NOW: Final = 5.0  # seconds for which a report proves that a process is at work
_JUST_NOW: Final = 2.0  # seconds for which a lag is as it was seen: services look once a second
_LOOK_AGAIN: Final = 0.1


@dataclass(frozen=True)
class _Known:
    """How far a read model was behind when it was seen last."""

    name: str
    age: float  # seconds, of the oldest missing event
    needs: float  # seconds, to take in what is missing; 0: not known
    missing: int | None  # events
    at: float  # by the clock

    @property
    def lag(self) -> float:
        return max(self.age, self.needs)

    def lag_at(self, now: float) -> float:
        """The largest one that is possible at this time."""
        since = now - self.at
        return self.lag + (since if since > _JUST_NOW else 0.0)

    def reason(self, now: float) -> str:
        """Why commands are refused at this time."""
        if (since := now - self.at) > _JUST_NOW:
            return f"{self.name} was last seen {since:.0f} s ago, {self.lag:.0f} s behind"
        if self.needs > self.age:
            return f"{self.name} needs {self.needs:.0f} s for the {self.missing:,} events it misses"
        return f"{self.name} is {self.age:.0f} s behind"


class Overloaded(Exception):
    """The read models are too far behind. Nothing was done."""

    def __init__(self, reason: str, retry_after: int) -> None:
        super().__init__(f"{reason}: nothing was done; send the command again in {retry_after} s")
        self.retry_after = retry_after


class Pressure(StrEnum):
    """What happens to commands now."""

    NONE = "none"
    SLOWED = "commands are slowed"
    REFUSED = "commands are refused"


class Backpressure:
    """Decides by the lags that were observed last, without a query."""

    def __init__(
        self,
        *,
        slow: float = 10.0,
        refuse: float = 30.0,
        apart: Collection[str] = (),  # only: search
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Limits in seconds of lag. ``clock`` returns seconds and is monotonic."""
        if not 0 < slow < refuse:
            raise ValueError(f"commands are slowed from {slow:g} s on, refused from {refuse:g} s")
        self._slow, self._refuse, self._resume = slow, refuse, (slow + refuse) / 2
        self._clock, self._pause = clock, pause
        self._apart = apart  # only: search
        self._paces: defaultdict[Build, Pace] = defaultdict(Pace)
        self._known: dict[Build, _Known] = {}
        self._refusing = False

    def look(self, lags: Sequence[Lag]) -> None:
        """Observe the builds that answer queries; with ``events``, it reacts sooner."""
        # only: search
        # while its server is away, the queries of such a read model fail, and all else goes on
        lags = [lag for lag in lags if lag.build.name not in self._apart]
        # end: search
        live = {lag.build: lag for lag in lags if lag.answers}
        for build in self._paces.keys() - live.keys():
            self._forget(build)
        for build, lag in live.items():
            if lag.failed or lag.paused:
                self._forget(build)
            elif (seen := self._seen(lag)) and (build in self._known or seen.lag < self._slow):
                self._known[build] = seen
        self._refusing = self.pressure is Pressure.REFUSED

    def _forget(self, build: Build) -> None:
        self._paces.pop(build, None)
        self._known.pop(build, None)

    def _seen(self, lag: Lag) -> _Known | None:
        """How far it is behind; ``None`` when that is unknown."""
        pace = self._paces[lag.build]
        if lag.seconds is None or lag.rate is None:  # no rate: no recent report
            pace.forget()
            return None
        pace.look(lag.seen_at.timestamp(), lag.taken_in, lag.seconds)
        needs = (lag.events or 0) / (pace.events_a_second or math.inf)
        needs = min(needs, FORESIGHT * lag.seconds)
        return _Known(lag.build.name, lag.seconds, needs, lag.events, self._clock())

    @property
    def pressure(self) -> Pressure:
        return self._pressure(self._worst()[0])

    def _pressure(self, behind: float) -> Pressure:
        if behind >= (self._resume if self._refusing else self._refuse):
            return Pressure.REFUSED
        return Pressure.NONE if behind < self._slow else Pressure.SLOWED

    def require(self) -> float:
        """Raise :class:`Overloaded` while commands from outside are refused.

        Returns the largest lag in seconds.
        """
        behind, seen = self._worst()
        if seen is not None and self._pressure(behind) is Pressure.REFUSED:
            wait = math.ceil(behind - self._resume)
            raise Overloaded(seen.reason(self._clock()), min(max(wait, 1), 60))
        return behind

    async def admit(self) -> None:
        """Let a command from outside pass, at once or slowed. Raises :class:`Overloaded`."""
        behind = self.require()
        if behind >= self._slow:
            await self._pause(LONGEST * (behind - self._slow) / (self._refuse - self._slow))

    async def wait(self) -> None:
        """Let the next command of an import pass. An import waits, but is never refused.

        It waits while the read models are being filled and are too far behind. It does not wait
        for a read model that no process fills.
        """
        while self._seen_behind():
            await self._pause(_LOOK_AGAIN)

    def _worst(self) -> tuple[float, _Known | None]:
        """The largest lag that is possible now, and how its read model was seen last."""
        now = self._clock()
        worst = max(self._known.values(), key=lambda seen: seen.lag_at(now), default=None)
        return (worst.lag_at(now) if worst else 0.0), worst

    def _seen_behind(self) -> bool:
        now = self._clock()
        return any(
            seen.lag >= self._slow and now - seen.at < _SEEN_NOW for seen in self._known.values()
        )
