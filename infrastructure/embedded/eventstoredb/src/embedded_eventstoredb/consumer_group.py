"""One consumer group as a pure state machine: no I/O, and time is an argument.

Inputs are pages of events, connecting and disconnecting consumers, acks, nacks, ticks of the clock
and parked events to replay. Outputs are deliveries, parkings (what to write to the parked stream)
and, from ``progress``, checkpoints.

It guarantees, for any order of these calls:

- an event is delivered until it is acknowledged, skipped or parked, and to one consumer at a time;
- an acknowledged event is not delivered again, even if the ack arrived after the timeout;
- a retried event is delivered before events that were never delivered, in the order of the source;
- the checkpoint passes only events that are done or given up.
"""

from bisect import insort
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Generic, NamedTuple, TypeVar

from embedded_eventstoredb.consumer_strategies import STRATEGIES, Consumer, Strategy
from embedded_eventstoredb.group_progress import (
    CheckpointPolicy,
    ParkedEvents,
    Progress,
)

E = TypeVar("E")


class Nack(IntEnum):
    """What to do with an event that its consumer could not handle; numbered as in the protocol."""

    UNKNOWN = 0
    PARK = 1
    RETRY = 2
    SKIP = 3
    STOP = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """The group's settings for retries and buffering. The timeout is in seconds."""

    message_timeout: float = 30.0
    max_retry_count: int = 10
    read_batch_size: int = 20
    history_buffer_size: int = 500
    checkpoints: CheckpointPolicy = field(default_factory=CheckpointPolicy)


@dataclass(frozen=True, slots=True)
class Message(Generic[E]):
    """An event in the group.

    ``position`` is the source's; a replayed event has its parked number.
    """

    id: bytes
    position: int
    source: str  # the key of the pinned strategies
    event: E
    retry_count: int = 0
    replayed: bool = False

    @property
    def order(self) -> tuple[bool, int]:
        return self.replayed, self.position


class Delivery(NamedTuple, Generic[E]):
    consumer: Consumer
    message: Message[E]


class Parking(NamedTuple, Generic[E]):
    message: Message[E]
    reason: str


class _Flight(NamedTuple, Generic[E]):
    consumer: Consumer
    message: Message[E]
    deadline: float


class ConsumerGroup(Generic[E]):
    """The events of one group between the source and its consumers."""

    def __init__(
        self,
        limits: Limits,
        strategy: str,
        resume_after: int | None = None,
        parked: ParkedEvents | None = None,
    ) -> None:
        """``resume_after`` is the position of the checkpoint, None if there is none yet."""
        self.limits = limits
        self.progress = Progress(limits.checkpoints, resume_after)
        self.parked = parked or ParkedEvents(0, 0)
        self.consumers: dict[str, Consumer] = {}
        self.total_items = 0
        self._strategy: Strategy = STRATEGIES[strategy]()
        self._buffer: deque[Message[E]] = deque()
        self._retries: deque[Message[E]] = deque()
        self._in_flight: dict[bytes, _Flight[E]] = {}  # the first to expire is the first
        self._parkings: list[Parking[E]] = []

    @property
    def buffered(self) -> int:
        return len(self._buffer)

    @property
    def retrying(self) -> int:
        return len(self._retries)

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    @property
    def has_room(self) -> bool:
        """Whether a page of ``read_batch_size`` still fits the history buffer."""
        held = len(self._buffer) + len(self._retries)
        return self.limits.history_buffer_size - held > self.limits.read_batch_size

    def offer(
        self, page: Sequence[Message[E]], considered: int, up_to: int, passed: int = -1
    ) -> None:
        """Take a page of the source, read up to ``up_to``: of ``considered`` events, these are the
        group's.

        While no consumer is connected, waiting events before ``passed``, the last event that the
        group's filter left out, are given up: as on the server, the checkpoint does not wait for
        them.
        """
        for message in page:
            self.progress.take(message.position)
        self._buffer.extend(page)
        self.progress.skip(considered - len(page), up_to)
        if passed >= 0 and not self.consumers:
            self.progress.give_up(m.position for m in self._buffer if m.position < passed)

    def offer_replays(self, page: Sequence[Message[E]], up_to: int) -> None:
        """Take parked events, read before number ``up_to``; their retry count is 0 again."""
        self.parked.take(up_to)
        self._retries.extend(page)

    def connect(self, name: str, slots: int) -> Consumer:
        """Add a consumer that may hold ``slots`` events at a time."""
        consumer = self.consumers[name] = Consumer(name, slots)
        self._strategy.join(consumer, (f.message.source for f in self._in_flight.values()))
        return consumer

    def disconnect(self, name: str) -> None:
        """Remove the consumer; its unacknowledged events are retried by the others, and never
        parked.
        """
        consumer = self.consumers.pop(name)
        self._strategy.leave(consumer)
        for flight in [f for f in self._in_flight.values() if f.consumer is consumer]:
            self._retry(self._remove_from_flight(flight))

    def deliver(self, now: float) -> list[Delivery[E]]:
        """Deliver as many events as the consumers have room for: retries first, then new ones."""
        deliveries: list[Delivery[E]] = []
        for queue in (self._retries, self._buffer):
            passed_over: deque[Message[E]] = deque()
            while queue and any(consumer.free for consumer in self.consumers.values()):
                message = queue.popleft()
                if consumer := self._consumer_for(message):
                    self._send(message, consumer, now)
                    deliveries.append(Delivery(consumer, message))
                else:
                    passed_over.append(message)
            queue.extendleft(reversed(passed_over))
        return deliveries

    def _consumer_for(self, message: Message[E]) -> Consumer | None:
        if message.id in self._in_flight:
            return None  # two events may have the same id, and an ack names only the id: one waits
        return self._strategy.choose(message.source)

    def _send(self, message: Message[E], consumer: Consumer, now: float) -> None:
        deadline = now + self.limits.message_timeout
        self._in_flight[message.id] = _Flight(consumer, message, deadline)
        consumer.in_flight += 1
        consumer.total_items += 1
        self.total_items += 1

    def ack(self, ids: Iterable[bytes]) -> None:
        """Finish these events. A late ack, of an event that waits for its retry, counts, too."""
        for event_id in ids:
            if flight := self._in_flight.get(event_id):
                self._finish(self._remove_from_flight(flight))
            else:
                self._finish_retry(event_id)

    def nack(self, ids: Iterable[bytes], action: Nack, reason: str = "") -> None:
        """Apply the action to these events; ids that are not in flight are ignored."""
        for event_id in ids:
            if not (flight := self._in_flight.get(event_id)):
                continue
            message = self._remove_from_flight(flight)
            match action:
                case Nack.RETRY | Nack.UNKNOWN:
                    self._retry_or_park(message)
                case Nack.PARK:
                    self._park(message, f"Client explicitly NAK'ed message.\n{reason}")
                case Nack.SKIP | Nack.STOP:  # on the server, STOP has the same effect
                    self._finish(message)

    def expire(self, now: float) -> None:
        """Take back every event whose timeout is over."""
        expired = []
        for flight in self._in_flight.values():
            if flight.deadline > now:
                break
            expired.append(flight)
        for message in map(self._remove_from_flight, expired):
            self._retry_or_park(message)

    def _remove_from_flight(self, flight: _Flight[E]) -> Message[E]:
        flight.consumer.in_flight -= 1
        del self._in_flight[flight.message.id]
        return flight.message

    def _retry_or_park(self, message: Message[E]) -> None:
        if message.retry_count < self.limits.max_retry_count:
            self._retry(message)
        else:
            self._park(message, f"Reached retry count of {self.limits.max_retry_count}")

    def _retry(self, message: Message[E]) -> None:
        again = replace(message, retry_count=message.retry_count + 1)
        insort(self._retries, again, key=lambda waiting: waiting.order)

    def _finish_retry(self, event_id: bytes) -> None:
        for index, message in enumerate(self._retries):
            if message.id == event_id and message.retry_count:
                del self._retries[index]
                return self._finish(message)
        return None

    def _finish(self, message: Message[E]) -> None:
        if not message.replayed:  # it is not in the parked stream any more
            self.progress.finish(message.position)

    def _park(self, message: Message[E], reason: str) -> None:
        self._parkings.append(Parking(message, reason))

    def take_parkings(self) -> list[Parking[E]]:
        """What to write to the parked stream now; call ``park`` for each one afterwards."""
        parkings, self._parkings = self._parkings, []
        return parkings

    def park(self, message: Message[E], number: int) -> None:
        """Record that the message is on disk in the parked stream, as its event ``number``."""
        self.parked.add(number)
        self._finish(message)
