"""The end of the log. A position beyond it belongs to another log.

That happens after an older backup of the event store was restored: later events are gone, but read
models and tokens still have their positions.
"""

from typing import Protocol

from application.ports import Appended, StoreFacts


class Probing(Protocol):
    """Appends an event only to find out where the log ends."""

    async def probe(self) -> Appended: ...


class LogEnd:
    """Asks the store each time."""

    def __init__(self, facts: StoreFacts, probing: Probing) -> None:
        self._facts, self._probing = facts, probing

    async def is_beyond(self, position: int) -> bool:
        """Whether that position is beyond the end of this log.

        A store may hide records of its own at the end of its log. So if ``position`` is beyond the
        last event that it shows, an event is appended to find out. Raises ``StoreUnavailable``.
        """
        if position <= await self._facts.head():
            return False
        return position >= (await self._probing.probe()).position
