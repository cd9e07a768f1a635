"""When a filtered subscription is sent a checkpoint, and which, as the server does it.

The server looks at the log in pages: of as many records as the window says, or fewer, once 32 of
them match. A checkpoint comes after a page, when at least ``window`` times ``multiplier`` records
were looked at since the one before. It is where that page began, which is just before a record, or
the last event that was sent, if that is later. One more comes before "caught up": the last event or
checkpoint once more, or, when there was neither, what the subscription started after. So before all
events that is no position but the largest number, after which no other is ever sent.
"""

from typing import Final

from embedded_eventstoredb.read_options import Position
from embedded_eventstoredb.storage import Record

WINDOW: Final = 32  # records of a page when the client does not say
_MATCHES: Final = 32
_UNSIGNED: Final = 2**64


class Checkpoints:
    """Those of one subscription. Each method gives the checkpoint to send now, or None."""

    def __init__(self, start: Position, window: int, multiplier: int) -> None:
        self._window = window
        self._interval = window * multiplier
        self._reached = start
        self._sent: Position | None = None
        self._page: Position | None = Position(max(0, start.commit), max(0, start.prepare))
        self._looked_at = self._matches = self._counted = 0

    def considered(self, record: Record, *, matches: bool, sent: bool) -> Position | None:
        """While it catches up: the record was looked at, matches or not, and was sent or not."""
        if self._page is None:
            self._page = Position(record.position, 0)
        self._looked_at += 1
        self._matches += matches
        if sent:
            self._reached = Position(record.position, record.position)
        if self._looked_at < self._window and self._matches < _MATCHES:
            return None
        return self._end_page()

    def caught_up(self) -> Position | None:
        """It has caught up."""
        self._counted = 0
        return self._new(self._reached)

    def live(self, record: Record, *, sent: bool) -> Position | None:
        """After that: a record was recorded."""
        at = Position(record.position, record.position)
        self._counted += 1
        if sent or self._counted >= self._interval:
            self._reached = at
        if self._counted < self._interval:
            return None
        self._counted = 0
        return self._new(at)

    def fell_behind(self) -> Position | None:
        """It has to catch up again."""
        self._page = self._reached
        self._looked_at = self._matches = self._counted = 0
        return self._new(self._reached)

    def _end_page(self) -> Position | None:
        page, self._page = self._page, None
        self._counted += self._looked_at
        self._looked_at = self._matches = 0
        if self._counted < self._interval:
            return None
        self._counted %= self._interval
        self._reached = max(self._reached, page or self._reached)
        return self._new(self._reached)

    def _new(self, at: Position) -> Position | None:
        """None for one that is not beyond the last one that was sent, as numbers go."""
        number = Position(at.commit % _UNSIGNED, at.prepare % _UNSIGNED)
        if self._sent is not None and number <= self._sent:
            return None
        self._sent = number
        return number
