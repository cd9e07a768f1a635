"""The time of the store, as its answers are dated: DynamoDB has no clock in its conditions.

Each answer carries the second in which it was sent. So its moment lies between that second and the
next, and between the sending of the request and the arrival of the answer. Many answers narrow that
down to some milliseconds; the clocks of the processes may be as wrong as they like.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

from infrastructure.dynamodb.client import Database


@dataclass(frozen=True)
class _Offset:
    """The time of the store, minus that of the monotonic clock: at least, and at most."""

    least: float
    most: float

    def narrowed(self, other: "_Offset") -> "_Offset":
        """By both; the newer one alone, where they contradict each other: a clock was set."""
        least, most = max(self.least, other.least), min(self.most, other.most)
        return _Offset(least, most) if least <= most else other


class StoreClock:
    """Between which moments the store is now. Before the first answer: the clock of the machine."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        machine: Callable[[], float] = time.time,
    ) -> None:
        self._monotonic, self._machine = monotonic, machine
        self._offset: _Offset | None = None

    @classmethod
    def of(cls, database: Database) -> Self:
        """A clock that is set by every answer to this client."""
        clock = cls()
        events = database.client.meta.events
        events.register("before-call.dynamodb", clock._sent)
        events.register("after-call.dynamodb", clock._answered)
        return clock

    def answered(self, date: str, sent: float, received: float) -> None:
        """An answer with this ``Date`` was asked for and came at these monotonic times."""
        second = parsedate_to_datetime(date).timestamp()
        now = _Offset(second - received, second + 1 - sent)
        self._offset = now if self._offset is None else self._offset.narrowed(now)

    def earliest(self) -> datetime:
        """The store's time is not before this."""
        offset = self._offset
        return _moment(self._monotonic() + offset.least if offset else self._machine())

    def latest(self) -> datetime:
        """The store's time is not after this."""
        offset = self._offset
        return _moment(self._monotonic() + offset.most if offset else self._machine())

    def _sent(self, context: dict[str, Any], **_: Any) -> None:
        context["headwater_sent"] = self._monotonic()

    def _answered(self, parsed: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        date = parsed.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if date and "headwater_sent" in context:
            self.answered(date, context["headwater_sent"], self._monotonic())


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
