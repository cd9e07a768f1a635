"""Consumer groups over the memory store: what a server's persistent subscriptions promise."""

import asyncio
from bisect import insort
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.ports import GroupInfo, StoreUnavailable
from infrastructure.memory.event_store import EventStore

_PAGE = 200


@dataclass
class _Message:
    recorded: RecordedEvent
    retries: int = 0

    @property
    def position(self) -> int:
        return self.recorded.position


@dataclass
class _Flight:
    message: _Message
    consumer: "_Consumer"
    deadline: float


class ConsumerGroups:
    """The :class:`~application.ports.ConsumerGroups` of one memory store."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._groups: dict[str, _Group] = {}

    async def ensure(
        self,
        group: str,
        *,
        only: EventFilter,  # noqa: ARG002 - a group reads all, and its consumers choose
        message_timeout: float = 30.0,
    ) -> None:
        if group not in self._groups:
            self._groups[group] = _Group(self._store, message_timeout)

    @asynccontextmanager
    async def consume(
        self, group: str, *, only: EventFilter, buffer: int = 100
    ) -> AsyncIterator[AsyncIterator["Delivery"]]:
        consumer = _Consumer(self._groups[group], only, buffer)
        try:
            yield consumer
        finally:
            consumer.leave()

    async def info(self, group: str) -> GroupInfo:
        return self._groups[group].info(group)

    async def delete(self, group: str) -> None:
        self._groups.pop(group).delete()

    async def fault(self) -> str | None:
        return None


class _Group:
    """The events between the log and the consumers: waiting, or in flight."""

    def __init__(self, store: EventStore, message_timeout: float) -> None:
        self._store = store
        self._message_timeout = message_timeout
        self._read_up_to = -1
        self._waiting: list[_Message] = []  # to be delivered again, by position
        self._in_flight: dict[int, _Flight] = {}  # by position, the first to expire first
        self._deleted = False

    def next_for(self, consumer: "_Consumer") -> _Message | None:
        """The events for that consumer now, retries first, if it has room."""
        if self._deleted:
            raise StoreUnavailable("the consumer group has been deleted")
        self._expire()
        if consumer.buffer <= sum(f.consumer is consumer for f in self._in_flight.values()):
            return None
        message = self._waiting.pop(0) if self._waiting else self._read(consumer.only)
        if message:
            deadline = asyncio.get_running_loop().time() + self._message_timeout
            self._in_flight[message.position] = _Flight(message, consumer, deadline)
        return message

    async def changed(self) -> None:
        """Wait until there may be something for a consumer."""
        now = asyncio.get_running_loop().time()
        expiry = min((f.deadline - now for f in self._in_flight.values()), default=None)
        await self._store.changed.wait(within=expiry)

    def ack(self, message: _Message) -> None:
        """Done, even if it has expired and waits or is delivered again."""
        self._in_flight.pop(message.position, None)
        self._waiting = [other for other in self._waiting if other.position != message.position]
        self._store.changed.send()

    def retry(self, message: _Message) -> None:
        if flight := self._land(message):
            self._retry(flight.message)

    def leave(self, consumer: "_Consumer") -> None:
        """The consumer's events go to the others."""
        for flight in [f for f in self._in_flight.values() if f.consumer is consumer]:
            self._land(flight.message)
            self._retry(flight.message)

    def info(self, name: str) -> GroupInfo:
        return GroupInfo(name, in_flight=len(self._in_flight))

    def delete(self) -> None:
        self._deleted = True
        self._store.changed.send()

    def _read(self, only: EventFilter) -> _Message | None:
        while page := self._store.after(self._read_up_to, _PAGE):
            for recorded in page:
                self._read_up_to = recorded.position
                if recorded in only:
                    return _Message(recorded)
        return None

    def _land(self, message: _Message) -> _Flight | None:
        self._store.changed.send()
        return self._in_flight.pop(message.position, None)

    def _retry(self, message: _Message) -> None:
        again = _Message(message.recorded, message.retries + 1)
        insort(self._waiting, again, key=lambda other: other.position)

    def _expire(self) -> None:
        now = asyncio.get_running_loop().time()
        for flight in [f for f in self._in_flight.values() if f.deadline <= now]:
            self._land(flight.message)
            self._retry(flight.message)


class _Consumer:
    """One consumer's deliveries."""

    def __init__(self, group: _Group, only: EventFilter, buffer: int) -> None:
        self.only, self.buffer, self._group, self._gone = only, buffer, group, False

    def __aiter__(self) -> "_Consumer":
        return self

    async def __anext__(self) -> "Delivery":
        await asyncio.sleep(0)  # as on a network, other tasks run
        while not (message := self.group.next_for(self)):
            await self.group.changed()
        return Delivery(message, self)

    @property
    def group(self) -> _Group:
        if self._gone:
            raise StoreUnavailable("this consumer has left: its events go to others")
        return self._group

    def leave(self) -> None:
        self._gone = True
        self._group.leave(self)


class Delivery:
    """A :class:`~application.ports.Delivery`; it cannot be settled once its consumer has left."""

    def __init__(self, message: _Message, consumer: _Consumer) -> None:
        self._message, self._consumer = message, consumer

    @property
    def recorded(self) -> RecordedEvent:
        return self._message.recorded

    @property
    def retries(self) -> int:
        return self._message.retries

    async def ack(self) -> None:
        self._consumer.group.ack(self._message)

    async def retry(self, reason: str) -> None:  # noqa: ARG002 - reasons are not kept
        self._consumer.group.retry(self._message)
