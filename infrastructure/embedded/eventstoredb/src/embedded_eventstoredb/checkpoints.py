"""When a filtered subscription gets a checkpoint, and which one, as on the server.

The server reads the log in pages: a page ends after ``window`` records, or after 32 matches. After
a page, a checkpoint is sent if at least ``window`` times ``multiplier`` records were read since the
previous checkpoint. It is the position where that page began, just before a record, or the last
event sent, if that is later. One more is sent before "caught up": the last event or checkpoint
again, or, if there was neither, the position that the subscription started after. For a start
before all events, that is the largest number, which is not a position; no other checkpoint is sent
after it.
"""

from typing import Final

from embedded_eventstoredb.read_options import Position
from embedded_eventstoredb.storage import Record

WINDOW: Final = 32  # records of a page, if the client does not give a number
_MATCHES: Final = 32
_UNSIGNED: Final = 2**64


class Checkpoints:
    """The checkpoints of one subscription. Each method returns the one to send now, or None."""

    def __init__(self, start: Position, window: int, multiplier: int) -> None:
        self._window = window
        self._interval = window * multiplier
        self._reached = start
        self._sent: Position | None = None
        self._page: Position | None = Position(max(0, start.commit), max(0, start.prepare))
        self._looked_at = self._matches = self._counted = 0

    def considered(self, record: Record, *, matches: bool, sent: bool) -> Position | None:
        """A record was read during catch-up; it ``matches`` the filter or not, and was ``sent``
        or not.
        """
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
        """The subscription has caught up."""
        self._counted = 0
        return self._new(self._reached)

    def live(self, record: Record, *, sent: bool) -> Position | None:
        """A record was appended after the subscription caught up."""
        at = Position(record.position, record.position)
        self._counted += 1
        if sent or self._counted >= self._interval:
            self._reached = at
        if self._counted < self._interval:
            return None
        self._counted = 0
        return self._new(at)

    def passes(self) -> bool:
        """Count a record that was appended after the subscription caught up and was not sent.

        False, and not counted, if there may be a checkpoint: then ``live`` decides.
        """
        if self._counted + 1 >= self._interval:
            return False
        self._counted += 1
        return True

    def fell_behind(self) -> Position | None:
        """The subscription has fallen behind."""
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
        """``at``, or None if it is not greater than the last one sent."""
        number = Position(at.commit % _UNSIGNED, at.prepare % _UNSIGNED)
        if self._sent is not None and number <= self._sent:
            return None
        self._sent = number
        return number
