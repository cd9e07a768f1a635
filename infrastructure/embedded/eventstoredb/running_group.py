"""A consumer group at work: it reads its source, feeds its consumers, writes down what is done.

One task does all of it, a page at a time, and sleeps until it is woken: by an ack, by a consumer,
by the timer or by the log growing.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from infrastructure.embedded.eventstoredb.consumer_group import ConsumerGroup, Nack
from infrastructure.embedded.eventstoredb.consumer_strategies import Consumer
from infrastructure.embedded.eventstoredb.errors import (
    Refusal,
    group_dropped,
    group_failed,
    group_full,
)
from infrastructure.embedded.eventstoredb.filters import Filter
from infrastructure.embedded.eventstoredb.group_records import (
    load_checkpoint,
    load_parked,
    park,
    parked_stream,
    truncate_parked,
    write_checkpoint,
)
from infrastructure.embedded.eventstoredb.group_settings import GroupSettings
from infrastructure.embedded.eventstoredb.group_source import Event, Source
from infrastructure.embedded.eventstoredb.storage import Storage, StorageUnavailable, Transaction
from infrastructure.embedded.eventstoredb.streams import Resolved

_log = logging.getLogger(__name__)
_names = count(1)


class Measurement(NamedTuple):
    """Events handed out since the last measurement, and per second."""

    items: int
    per_second: int


class Meter:
    """Measures a growing count from one look to the next."""

    def __init__(self) -> None:
        self._time, self._count = time.monotonic(), 0

    def measure(self, total: int) -> Measurement:
        now = time.monotonic()
        items, seconds = total - self._count, max(now - self._time, 1e-3)
        self._time, self._count = now, total
        return Measurement(items, int(items / seconds))


class Connection:
    """A consumer's end of the group: what it is to be sent, until the group drops it."""

    def __init__(self, consumer: Consumer, name: str, user: str) -> None:
        self.consumer = consumer
        self.name = name
        self.user = user
        self._meter = Meter()
        self._inbox: asyncio.Queue[Event | Refusal] = asyncio.Queue()

    def put(self, item: Event | Refusal) -> None:
        """Never more events than the consumer has slots."""
        self._inbox.put_nowait(item)

    async def receive(self) -> Event:
        """The next event. Raises the Refusal with which the group dropped this consumer."""
        item = await self._inbox.get()
        if isinstance(item, Refusal):
            raise item
        return item

    def measure(self) -> Measurement:
        return self._meter.measure(self.consumer.total_items)


class RunningGroup:
    """One group on its storage, from the moment it is made. ``wanted`` filters ``$all``."""

    def __init__(self, storage: Storage, settings: GroupSettings, wanted: Filter) -> None:
        self.settings = settings
        self.connections: dict[str, Connection] = {}
        self.last_known: int | None = load_checkpoint(storage, settings)
        self.at_end = False
        self.state = ConsumerGroup[Resolved](
            settings.limits,
            settings.consumer_strategy,
            self.last_known,
            load_parked(storage, settings),
        )
        self._storage = storage
        self._source = Source(storage, settings, wanted)
        self._read_to = settings.resume_after if self.last_known is None else self.last_known
        self._woken = asyncio.Event()
        self._ticked = False
        self._stopping = False
        self._fault: Refusal | None = None
        self._meter = Meter()
        self._task = asyncio.create_task(self._work(), name=f"group {settings.key}")

    @property
    def status(self) -> str:
        """The server's words for whether the group has read all there is."""
        replaying = "ReplayingParkedMessages, " if self.state.parked.wanted else ""
        return replaying + ("Live" if self.at_end else "Behind")

    def wake(self, *, timer: bool = False) -> None:
        self._ticked = self._ticked or timer
        self._woken.set()

    def connect(self, slots: int, name: str, user: str) -> Connection:
        """Lets a consumer in. Raises a Refusal when the group is full, stopping or has failed."""
        most = self.settings.max_subscriber_count
        if most and len(self.connections) >= most:
            raise group_full(self.settings.stream, self.settings.group)
        if self._stopping:
            raise group_dropped(self.settings.stream, self.settings.group)
        if self._fault:
            raise self._fault
        consumer = self.state.connect(str(next(_names)), slots)
        connection = self.connections[consumer.name] = Connection(consumer, name, user)
        self.wake()
        return connection

    def disconnect(self, connection: Connection) -> None:
        """The consumer has gone; what it held goes to the others."""
        if self.connections.pop(connection.consumer.name, None):
            self.state.disconnect(connection.consumer.name)
            self.wake()

    def ack(self, ids: Sequence[bytes]) -> None:
        self.state.ack(ids)
        self.wake()

    def nack(self, ids: Sequence[bytes], action: Nack, reason: str) -> None:
        self.state.nack(ids, action, reason)
        self.wake()

    def replay_parked(self, stop_at: int | None) -> None:
        """Delivers parked events again: those before number ``stop_at``, or all there are now."""
        self.state.parked.replay(stop_at)
        self.wake()

    async def stop(self, reason: Refusal) -> None:
        """Drops all consumers for that reason and writes down what they have done."""
        self._stopping = True
        self.wake()
        await self._task
        self._drop_all(reason)
        position = self.state.progress.last()
        if position is None:
            return
        try:
            await self._storage.write(lambda t: write_checkpoint(t, self.settings, position))
        except StorageUnavailable:  # then it repeats what came after the checkpoint before
            _log.exception("persistent subscription %s: no last checkpoint", self.settings.key)

    def measure(self) -> Measurement:
        """What was handed out since the last call."""
        return self._meter.measure(self.state.total_items)

    async def _work(self) -> None:
        try:
            while not self._stopping:
                self._woken.clear()
                timer, self._ticked = self._ticked, False
                if timer:
                    self.state.expire(time.monotonic())
                more = self._read_parked() or self._read()
                self._deliver()
                if await self._write_down(timer) or more:
                    self._woken.set()
                await asyncio.sleep(0)
                await self._woken.wait()
        except Exception as error:  # whatever it is: consumers must not wait for a dead group
            _log.exception("persistent subscription %s failed", self.settings.key)
            self._fault = group_failed(self.settings.stream, self.settings.group, str(error))
            self._drop_all(self._fault)

    def _read(self) -> bool:
        if not self.state.has_room:
            self.at_end = False
            return False
        page = self._source.page(self._read_to)
        self.at_end = page is None
        if page is None:
            return False
        self._read_to = page.up_to
        self.state.offer(page.events, page.considered, page.up_to)
        if page.events:
            self.last_known = page.events[-1].position
        return True

    def _read_parked(self) -> bool:
        wanted = self.state.parked.wanted
        if not wanted or not self.state.has_room:
            return False
        stream = self._storage.stream(parked_stream(self.settings))
        page = self._source.parked(stream, wanted)
        self.state.offer_replays(page.events, page.up_to)
        return True

    def _deliver(self) -> None:
        for consumer, message in self.state.deliver(time.monotonic()):
            self.connections[consumer.name].put(message)

    async def _write_down(self, timer: bool) -> bool:
        """Writes, in one commit, what has to last: parked events, truncation, checkpoint."""
        parkings = self.state.take_parkings()
        before = self.state.parked.truncation()
        done = self.state.progress.due(time.monotonic(), timer=timer)
        if not parkings and before is None and done is None:
            return False

        def write(transaction: Transaction) -> list[int]:
            numbers = [park(transaction, self.settings, parking) for parking in parkings]
            if before is not None:
                truncate_parked(transaction, self.settings, before)
            if done is not None:
                write_checkpoint(transaction, self.settings, done)
            return numbers

        numbers = await self._storage.write_in_time(write, lambda: self._stopping)
        for parking, number in zip(parkings, numbers, strict=True):
            self.state.park(parking.message, number)
        return True

    def _drop_all(self, reason: Refusal) -> None:
        for connection in list(self.connections.values()):
            self.disconnect(connection)
            connection.put(reason)
