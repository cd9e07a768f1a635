"""The progress of a consumer group through its source and through its parked events."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class CheckpointPolicy:
    """When a checkpoint is due: at once after ``most`` events; by the timer after ``least`` events
    and ``after`` seconds (None: never by time).

    Nothing else writes one, not even a stop: events acknowledged since then are delivered again.
    """

    least: int = 10
    most: int = 1000
    after: float | None = 2.0


class _Place(NamedTuple):
    """The ``number``-th event of the source; the one before it is at ``previous``."""

    number: int
    previous: int | None


class Progress:
    """Up to where the source is done without a gap, and when a checkpoint is due."""

    def __init__(self, policy: CheckpointPolicy, resume_after: int | None) -> None:
        self.checkpoint = resume_after
        self._policy = policy
        self._open: dict[int, _Place] = {}  # read but not done, by position, in order
        self._read = 0
        self._read_to = resume_after
        self._written = 0
        self._written_at = float("-inf")

    def take(self, position: int) -> None:
        """Record that the event at ``position`` was read and has to be handled."""
        self._read += 1
        self._open[position] = _Place(self._read, self._read_to)
        self._read_to = position

    def skip(self, count: int, up_to: int) -> None:
        """Record that ``count`` more events were read and filtered out, the last one at
        ``up_to``.
        """
        self._read += count
        self._read_to = up_to

    def finish(self, position: int) -> None:
        self._open.pop(position, None)

    def give_up(self, positions: Iterable[int]) -> None:
        """Let the checkpoint pass these events, done or not."""
        for position in positions:
            self._open.pop(position, None)

    @property
    def advanced(self) -> bool:
        """Whether more is done than the checkpoint says."""
        return self._done()[0] != self._written

    def due(self, now: float, *, timer: bool) -> int | None:
        """The position to write as the checkpoint, or None if none is due."""
        done, position = self._done()
        fresh, after = done - self._written, self._policy.after
        waited = timer and after is not None and now - self._written_at >= after
        if fresh and (fresh >= self._policy.most or (waited and fresh >= self._policy.least)):
            self._written_at = now
            self._written, self.checkpoint = done, position
            return position
        return None

    def _done(self) -> tuple[int, int | None]:
        for first_open in self._open.values():
            return first_open.number - 1, first_open.previous
        return self._read, self._read_to


class ParkedEvents:
    """The parked stream: its events, and those to be replayed.

    A replayed event leaves the stream at once, as on the server: if the node ends before the event
    is done, the event is lost.
    """

    def __init__(self, first: int, end: int) -> None:
        self._next = self._replay_end = self._truncated = first
        self._end = end

    @property
    def count(self) -> int:
        """The number of parked events that are not being replayed."""
        return self._end - self._replay_end

    @property
    def wanted(self) -> range:
        """The numbers of the events that are to be replayed and are not read yet."""
        return range(self._next, self._replay_end)

    def add(self, number: int) -> None:
        """Record that an event was parked as ``number``."""
        self._end = max(self._end, number + 1)

    def replay(self, stop_at: int | None) -> None:
        """Replay all events before number ``stop_at`` (None: all)."""
        end = self._end if stop_at is None else min(stop_at, self._end)
        self._replay_end = max(self._replay_end, end)

    def take(self, up_to: int) -> None:
        """Record that the events to be replayed before number ``up_to`` were read."""
        self._next = up_to

    def truncation(self) -> int | None:
        """The number before which to truncate the stream; None if that has not changed."""
        if self._truncated == self._replay_end:
            return None
        self._truncated = self._replay_end
        return self._truncated
