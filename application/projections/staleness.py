"""Which read models keep their promise to be fresh, and which have broken it for too long.

A read model that is behind for a moment is normal; one that breaches ``max_staleness`` is counted,
and one that goes on doing so makes the service not ready. So does one that has not caught up yet
since the start: nothing is forgiven before it has once kept its promise.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from application.projections.lag import Lag


class Staleness:
    """Remembers breaches from look to look. ``clock`` returns seconds and never jumps."""

    def __init__(self, *, lasting: float = 30.0, clock: Callable[[], float] = time.monotonic):
        """A breach that goes on for ``lasting`` seconds counts as one that lasts."""
        self._lasting, self._clock = lasting, clock
        self._since: dict[str, float] = {}
        self._breaches: Counter[str] = Counter()
        self._caught_up: set[str] = set()  # those that were fresh at some moment since the start

    @property
    def breaches(self) -> Mapping[str, int]:
        """How often each read model has gone beyond its ``max_staleness`` since the start."""
        return self._breaches

    def look(self, lags: Sequence[Lag]) -> None:
        """Take note of how the builds that answer queries stand now."""
        for lag in lags:
            if not lag.answers:
                continue
            name = lag.build.name
            if not lag.breached:
                self._since.pop(name, None)
                if lag.seconds is not None:
                    self._caught_up.add(name)
            elif name not in self._since:
                self._since[name] = self._clock()
                self._breaches[name] += 1

    def verdict(self, lag: Lag) -> str:
        """``ok``, or why queries should not be sent to this read model."""
        if lag.failed:
            return lag.state
        if lag.breached and lag.build.name not in self._caught_up:
            return f"{lag.state}, has not caught up since the start"
        since = self._since.get(lag.build.name)
        if since is not None and self._clock() - since >= self._lasting:
            return f"{lag.state}, too old for {self._clock() - since:.0f} s"
        if lag.seconds is None and not lag.breached:
            return f"{lag.state}, how old is not known yet"
        return "ok"
