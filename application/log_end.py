"""Where the log ends, and what lies beyond: whoever remembers a later place has seen another log.

That is so after an older backup of the event store was restored: what was appended since then is
gone, and read models and tokens still speak of it.
"""

from typing import Protocol

from application.ports import Appended, StoreFacts


class Probing(Protocol):
    """What appends an event only to find out where the log ends."""

    async def probe(self) -> Appended: ...


class LogEnd:
    """Asks the store each time."""

    def __init__(self, facts: StoreFacts, probing: Probing) -> None:
        self._facts, self._probing = facts, probing

    async def is_beyond(self, position: int) -> bool:
        """Whether no event that was ever in this log can have that position.

        A store may hide records of its own at the end of its log. So where ``position`` is beyond
        the last event that it shows, one is appended, and decides. Raises ``StoreUnavailable``.
        """
        if position <= await self._facts.head():
            return False
        return position >= (await self._probing.probe()).position
