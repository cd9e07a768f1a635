"""One consumer group as a pure state machine: no I/O, and time is an argument.

In go pages of events, consumers that come and leave, acks, nacks, ticks of the clock and parked
events to replay. Out come deliveries (who gets what now), parkings (what is to be written to the
parked stream) and, from ``progress``, checkpoints.

What it promises, whatever the order of these calls:

- an event is delivered until it is acknowledged, skipped or parked, and never to two at a time;
- an acknowledged event does not come back, even when the ack came after its time was out;
- a retried event goes before events that were never delivered, in the order of the source;
- the checkpoint never passes an event that is not done, but one that was given up.
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
    """What is to become of an event that its consumer could not handle; numbered as on the wire."""

    UNKNOWN = 0
    PARK = 1
    RETRY = 2
    SKIP = 3
    STOP = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """What the group's settings say about retrying and buffering. The timeout is in seconds."""

    message_timeout: float = 30.0
    max_retry_count: int = 10
    read_batch_size: int = 20
    history_buffer_size: int = 500
    checkpoints: CheckpointPolicy = field(default_factory=CheckpointPolicy)


@dataclass(frozen=True, slots=True)
class Message(Generic[E]):
    """An event on its way. ``position`` is the source's; a replayed one has its parked number."""

    id: bytes
    position: int
    source: str  # what the pinned strategies keep together
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
        """``resume_after`` is the position of the checkpoint, None where there is none yet."""
        self.limits = limits
        self.progress = Progress(limits.checkpoints, resume_after)
        self.parked = parked or ParkedEvents(0, 0)
        self.consumers: dict[str, Consumer] = {}
        self.total_items = 0
        self._strategy: Strategy = STRATEGIES[strategy]()
        self._buffer: deque[Message[E]] = deque()
        self._retries: deque[Message[E]] = deque()
        self._in_flight: dict[bytes, _Flight[E]] = {}  # the first to expire comes first
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
        """The source was read up to ``up_to``; of ``considered`` events these are for the group.

        While nobody is connected, events that wait before ``passed``, where the filter of the group
        left another one out, are given up: as on the server, the checkpoint does not wait for them.
        """
        for message in page:
            self.progress.take(message.position)
        self._buffer.extend(page)
        self.progress.skip(considered - len(page), up_to)
        if passed >= 0 and not self.consumers:
            self.progress.give_up(m.position for m in self._buffer if m.position < passed)

    def offer_replays(self, page: Sequence[Message[E]], up_to: int) -> None:
        """Parked events were read before number ``up_to``; they start anew, with no retries."""
        self.parked.take(up_to)
        self._retries.extend(page)

    def connect(self, name: str, slots: int) -> Consumer:
        """Lets a consumer in that may hold ``slots`` events at a time."""
        consumer = self.consumers[name] = Consumer(name, slots)
        self._strategy.join(consumer, (f.message.source for f in self._in_flight.values()))
        return consumer

    def disconnect(self, name: str) -> None:
        """Takes the consumer out; what it held is retried by the others, and never parked."""
        consumer = self.consumers.pop(name)
        self._strategy.leave(consumer)
        for flight in [f for f in self._in_flight.values() if f.consumer is consumer]:
            self._retry(self._land(flight))

    def deliver(self, now: float) -> list[Delivery[E]]:
        """Hands out what the consumers have room for: retries first, then new events."""
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
            return None  # two events may share an id, and an ack names only the id: one waits
        return self._strategy.choose(message.source)

    def _send(self, message: Message[E], consumer: Consumer, now: float) -> None:
        deadline = now + self.limits.message_timeout
        self._in_flight[message.id] = _Flight(consumer, message, deadline)
        consumer.in_flight += 1
        consumer.total_items += 1
        self.total_items += 1

    def ack(self, ids: Iterable[bytes]) -> None:
        """Ends these events. A late ack, of an event that waits for its retry, counts as well."""
        for event_id in ids:
            if flight := self._in_flight.get(event_id):
                self._finish(self._land(flight))
            else:
                self._finish_retry(event_id)

    def nack(self, ids: Iterable[bytes], action: Nack, reason: str = "") -> None:
        """Does with these events what the consumer asks; ids that are not in flight are ignored."""
        for event_id in ids:
            if not (flight := self._in_flight.get(event_id)):
                continue
            message = self._land(flight)
            match action:
                case Nack.RETRY | Nack.UNKNOWN:
                    self._retry_or_park(message)
                case Nack.PARK:
                    self._park(message, f"Client explicitly NAK'ed message.\n{reason}")
                case Nack.SKIP | Nack.STOP:  # the server gives STOP no other meaning
                    self._finish(message)

    def expire(self, now: float) -> None:
        """Takes back every event whose time is out."""
        expired = []
        for flight in self._in_flight.values():
            if flight.deadline > now:
                break
            expired.append(flight)
        for message in map(self._land, expired):
            self._retry_or_park(message)

    def _land(self, flight: _Flight[E]) -> Message[E]:
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
        if not message.replayed:  # which is in the parked stream no longer
            self.progress.finish(message.position)

    def _park(self, message: Message[E], reason: str) -> None:
        self._parkings.append(Parking(message, reason))

    def take_parkings(self) -> list[Parking[E]]:
        """What to write to the parked stream now; ``park`` has to follow for each."""
        parkings, self._parkings = self._parkings, []
        return parkings

    def park(self, message: Message[E], number: int) -> None:
        """The message is safe in the parked stream, as its event ``number``."""
        self.parked.add(number)
        self._finish(message)
