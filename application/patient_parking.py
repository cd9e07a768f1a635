"""Works on a parking stream, however long that takes."""

from collections.abc import Awaitable, Callable
from itertools import count
from typing import TypeVar

from application.messages import UnreadableEvent
from application.ports import StreamUnusable
from application.retrying import Retrying

T = TypeVar("T")


class PatientParking:
    """Repeats an action while the parking stream cannot be read."""

    def __init__(self, retrying: Retrying) -> None:
        self._retrying = retrying
        self.stalled: str | None = None
        """Why it cannot be read. Which events are parked is unknown until an operator acts."""

    async def __call__(self, act: Callable[[], Awaitable[T]]) -> T:
        for attempt in count(1):
            try:
                done = await self._retrying.patiently(act)
            except (StreamUnusable, UnreadableEvent) as error:
                self.stalled = str(error)
                await self._retrying.pause(attempt)
            else:
                self.stalled = None
                return done
        raise AssertionError  # it counts for ever
