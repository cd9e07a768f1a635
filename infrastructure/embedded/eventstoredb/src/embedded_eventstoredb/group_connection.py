"""The connection of a consumer to its group, with its statistics."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from embedded_eventstoredb.consumer_strategies import Consumer
from embedded_eventstoredb.errors import Refusal
from embedded_eventstoredb.group_source import Event

_KEPT: Final = 1000
_QUINTILES: Final = {f"Quintile {number}": number / 5 for number in range(1, 6)}
_PERCENTILES: Final = {f"{number:g}%": number / 100 for number in (90, 95, 99, 99.5, 99.9)}


class Measurement(NamedTuple):
    """Events delivered since the last measurement, and per second."""

    items: int
    per_second: int


class Meter:
    """Measures the growth of a count between two calls."""

    def __init__(self) -> None:
        self._time, self._count = time.monotonic(), 0

    def measure(self, total: int) -> Measurement:
        now = time.monotonic()
        items, seconds = total - self._count, max(now - self._time, 1e-3)
        self._time, self._count = now, total
        return Measurement(items, int(items / seconds))


class AnswerTimes:
    """The times that a consumer took for each of the last 1,000 events that it acknowledged or
    rejected.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sent: dict[bytes, float] = {}
        self._times: deque[int] = deque(maxlen=_KEPT)

    def sent(self, event_id: bytes) -> None:
        self._sent[event_id] = self._clock()
        if (
            len(self._sent) > _KEPT
        ):  # the first of them may have been delivered to another consumer since
            del self._sent[next(iter(self._sent))]

    def answered(self, ids: Iterable[bytes]) -> None:
        """Record an answer to these events; ids that were not sent are ignored."""
        now = self._clock()
        for event_id in ids:
            if (sent := self._sent.pop(event_id, None)) is not None:
                self._times.append(max(1, math.ceil((now - sent) * 1000)))

    def summary(self) -> Mapping[str, int]:
        """Milliseconds, never 0, by the server's names; empty before the first answer."""
        times = sorted(self._times)
        if not times:
            return {}

        def share(part: float) -> int:
            return times[max(0, math.ceil(part * len(times)) - 1)]

        averages = {
            "Mean": math.ceil(sum(times) / len(times)),
            "Median": share(0.5),
            "Fastest": times[0],
        }
        parts = {name: share(part) for name, part in (_QUINTILES | _PERCENTILES).items()}
        return {**averages, **parts, "Highest": times[-1]}


class Client(NamedTuple):
    """The client of a consumer: its address, the name of its connection, and its user."""

    address: str
    name: str
    user: str


class Connection:
    """A connected consumer: the events to send to it, until the group drops it."""

    def __init__(self, consumer: Consumer, client: Client, times: AnswerTimes | None) -> None:
        """``times``: only if the group keeps extra statistics."""
        self.consumer = consumer
        self.client = client
        self.times = times
        self._meter = Meter()
        self._inbox: asyncio.Queue[Event | Refusal] = asyncio.Queue()

    def send(self, event: Event) -> None:
        """Queue an event. The group never sends more than the consumer has slots."""
        if self.times is not None:
            self.times.sent(event.id)
        self._inbox.put_nowait(event)

    def drop(self, reason: Refusal) -> None:
        """Drop the consumer: no event is sent after that."""
        self._inbox.put_nowait(reason)

    async def receive(self) -> Event:
        """The next event. Raises the Refusal with which the group dropped this consumer."""
        item = await self._inbox.get()
        if isinstance(item, Refusal):
            raise item
        return item

    def answered(self, ids: Iterable[bytes]) -> None:
        """Record that the consumer acknowledged or rejected these events."""
        if self.times is not None:
            self.times.answered(ids)

    def measure(self) -> Measurement:
        """What was sent since the last call of this method."""
        return self._meter.measure(self.consumer.total_items)
