"""How far a consumer group has come: through its source, and through its parked events."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class CheckpointPolicy:
    """When a checkpoint is due: at once after ``most`` events; or, when the timer asks,
    after ``least`` events and ``after`` seconds (None: never by time).

    Nothing else writes one, not even a stop: what was acknowledged since comes again.
    """

    least: int = 10
    most: int = 1000
    after: float | None = 2.0


class _Place(NamedTuple):
    """The ``number``-th event of the source; the one before it stands at ``previous``."""

    number: int
    previous: int | None


class Progress:
    """What of the source is done without a gap, and when that is worth a checkpoint."""

    def __init__(self, policy: CheckpointPolicy, resume_after: int | None) -> None:
        self.checkpoint = resume_after
        self._policy = policy
        self._open: dict[int, _Place] = {}  # read but not done, by position, in their order
        self._read = 0
        self._read_to = resume_after
        self._written = 0
        self._written_at = float("-inf")

    def take(self, position: int) -> None:
        """The event at ``position`` was read and is to be handled."""
        self._read += 1
        self._open[position] = _Place(self._read, self._read_to)
        self._read_to = position

    def skip(self, count: int, up_to: int) -> None:
        """``count`` more events were looked at and passed over, the last one at ``up_to``."""
        self._read += count
        self._read_to = up_to

    def finish(self, position: int) -> None:
        self._open.pop(position, None)

    def give_up(self, positions: Iterable[int]) -> None:
        """The checkpoint may pass these events, done or not."""
        for position in positions:
            self._open.pop(position, None)

    def due(self, now: float, *, timer: bool) -> int | None:
        """The position to write down as the checkpoint, or None while it is too early for one."""
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
    """The parked stream: what is in it, and what was asked for again.

    An event that is asked for leaves the stream at once, as on the server: a node that ends before
    the event is done has lost it.
    """

    def __init__(self, first: int, end: int) -> None:
        self._next = self._replay_end = self._truncated = first
        self._end = end

    @property
    def count(self) -> int:
        """Parked events that nobody asked for again."""
        return self._end - self._replay_end

    @property
    def wanted(self) -> range:
        """The numbers of the events that were asked for and are not read yet."""
        return range(self._next, self._replay_end)

    def add(self, number: int) -> None:
        """An event was parked as ``number``."""
        self._end = max(self._end, number + 1)

    def replay(self, stop_at: int | None) -> None:
        """All events before number ``stop_at`` (None: all there are) are wanted again."""
        end = self._end if stop_at is None else min(stop_at, self._end)
        self._replay_end = max(self._replay_end, end)

    def take(self, up_to: int) -> None:
        """What was wanted before number ``up_to`` was read."""
        self._next = up_to

    def truncation(self) -> int | None:
        """The number before which the stream is to be cut off, when that is news."""
        if self._truncated == self._replay_end:
            return None
        self._truncated = self._replay_end
        return self._truncated
