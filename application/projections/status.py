"""How a projection stands, for health checks, metrics and people."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

LATELY: Final = timedelta(seconds=10)
"""The longest time over which a rate is taken."""


class State(StrEnum):
    STOPPED = "stopped"
    CATCHING_UP = "catching up"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    FAILED = "failed"


@dataclass(frozen=True)
class RunnerStatus:
    """How a projection stands. Unknown is ``None``, never 0."""

    name: str
    state: State
    position: int | None  # every event up to here is in the views; -1: none yet
    events: int  # taken in by this runner
    missing_since: datetime | None  # when the oldest event that is not in was recorded
    lag_seconds: float | None  # so old at most is what a query shows
    rate: float  # events a second, lately: since it fell behind, if it is
    last_error: str | None

    @property
    def caught_up(self) -> bool:
        return self.state is State.LIVE


def now() -> datetime:
    """The time of day, where a test brings no other."""
    return datetime.now(UTC)


class Progressing:
    """What a runner notes down on its way; ``status`` reads it."""

    def __init__(self, name: str, clock: Callable[[], datetime] = now) -> None:
        self._name, self._clock = name, clock
        self._state = State.STOPPED
        self._position: int | None = None  # nothing is known yet
        self._events = 0
        self._missing_since: datetime | None = None  # when the oldest event not in was recorded
        self._last_error: str | None = None
        self._lately: deque[tuple[datetime, int]] = deque()  # when, and how many events by then

    def started(self, position: int) -> None:
        """Following the events after this position."""
        self._state, self._position, self._missing_since = State.CATCHING_UP, position, None

    def working_on(self, recorded_at: datetime) -> None:
        """The oldest event that is not in the views yet was recorded then."""
        self._missing_since = recorded_at

    def took_in(self, events: int, position: int) -> None:
        """All events up to this position are in the views."""
        self._events += events
        self._position = position
        self._lately.append((self._clock(), self._events))

    def live(self) -> None:
        """Nothing is missing."""
        self._state, self._missing_since = State.LIVE, None

    def behind(self) -> None:
        """More is waiting."""
        if self._state is State.LIVE:  # what it took in until now was all that came: no measure
            self._lately = deque([(self._clock(), self._events)])
        self._state = State.CATCHING_UP

    def lost(self, error: Exception) -> None:
        """A store does not answer."""
        self._state, self._last_error = State.RECONNECTING, str(error)
        self._missing_since = None

    def failed(self, error: Exception) -> None:
        """Stopped at the event of the last ``working_on``."""
        self._state, self._last_error = State.FAILED, str(error)

    def stopped(self) -> None:
        self._state, self._missing_since = State.STOPPED, None

    def status(self) -> RunnerStatus:
        return RunnerStatus(
            name=self._name,
            state=self._state,
            position=self._position,
            events=self._events,
            missing_since=self._missing_since,
            lag_seconds=self._lag(),
            rate=self._rate(),
            last_error=self._last_error,
        )

    def _lag(self) -> float | None:
        if self._missing_since is not None:
            return max(0.0, (self._clock() - self._missing_since).total_seconds())
        return 0.0 if self._state is State.LIVE else None

    def _rate(self) -> float:
        """Over the last seconds, from the first batch in them to now, or since it fell behind."""
        now = self._clock()
        while len(self._lately) > 1 and now - self._lately[0][0] > LATELY:
            self._lately.popleft()
        if not self._lately or (first := self._lately[0])[0] >= now - timedelta(seconds=0.1):
            return 0.0
        return (self._events - first[1]) / (now - first[0]).total_seconds()
