"""Checkpoints and leases in memory."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from application.ports import CheckpointMoved
from application.ports.coordination import require_progress


def now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


class Checkpoints:
    """The :class:`~application.ports.Checkpoints` of one process."""

    def __init__(self) -> None:
        self._moved: dict[tuple[str, int], tuple[int, int]] = {}  # to which position, past events

    async def load(self, name: str, shard: int = 0) -> int | None:
        return self.standing(name, shard)[0]

    async def advance(
        self, name: str, position: int, *, expected: int | None, events: int = 0, shard: int = 0
    ) -> None:
        require_progress(position, expected)
        self.move(name, position, expected=expected, events=events, shard=shard)

    async def forget(self, name: str) -> None:
        for key in [key for key in self._moved if key[0] == name]:
            del self._moved[key]

    def standing(self, name: str, shard: int) -> tuple[int | None, int]:
        """The position, and how many events have been taken in so far."""
        return self._moved.get((name, shard), (None, 0))

    def move(
        self, name: str, position: int, *, expected: int | None, events: int, shard: int
    ) -> None:
        """As ``advance``, without an ``await``, so its caller can combine it with other changes."""
        at, passed = self.standing(name, shard)
        if at != expected:
            raise CheckpointMoved(f"{name} is at {at}, not at {expected}")
        self._moved[name, shard] = position, passed + events


class Leases:
    """The :class:`~application.ports.Leases` of one process. ``clock`` ends them."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._held: dict[str, tuple[str, datetime]] = {}  # by whom, until when

    async def claim(self, name: str, holder: str, *, seconds: float) -> bool:
        if self.held_by(name) not in (None, holder):
            return False
        self._held[name] = holder, self._clock() + timedelta(seconds=seconds)
        return True

    async def release(self, name: str, holder: str) -> None:
        if self.held_by(name) == holder:
            del self._held[name]

    async def holder(self, name: str) -> str | None:
        return self.held_by(name)

    def held_by(self, name: str) -> str | None:
        """As ``holder``, without an ``await``."""
        holder, until = self._held.get(name, (None, None))
        return holder if until is not None and until > self._clock() else None
