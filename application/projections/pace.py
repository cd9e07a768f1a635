"""How many events a second a read model takes in while it is behind: its pace.

A read model that waits for events takes in few of them, and is not slow. So a pace is measured only
over times in which an event was missing from the first moment to the last.
"""

from collections import deque
from typing import Final

_THROUGHOUT: Final = 0.9  # of a time: then its events were taken in at least at 0.9 of the pace
_LATELY: Final = 3  # measurements: one may have a pause in it, of a database for example


class Pace:
    """The pace of one build, measured from look to look."""

    def __init__(self) -> None:
        self._since: tuple[float, int] | None = None  # when, and how many were taken in by then
        self._measured: deque[float] = deque(maxlen=_LATELY)

    def look(self, at: float, taken_in: int, age: float) -> None:
        """At this time so many events had been taken in, and the oldest missing one was so old.

        Times are in seconds; an age of 0 means that no event was missing.
        """
        since, before = self._since or (at, taken_in)
        took, came = at - since, taken_in - before
        if took > 0 and came > 0 and age >= _THROUGHOUT * took:
            self._measured.append(came / took)
        elif came or age == 0:
            self._measured.clear()  # nothing was missing for some time, or it is filled anew
        elif self._since is not None:
            return  # it takes in many at once, or has stopped: the next change shows which
        self._since = at, taken_in

    @property
    def events_a_second(self) -> float | None:
        """The best of the last measurements; ``None`` unless it has been behind for some time."""
        return max(self._measured, default=None)

    def forget(self) -> None:
        """Begin anew: for some time, it is not known whether an event was missing."""
        self._since = None
        self._measured.clear()
