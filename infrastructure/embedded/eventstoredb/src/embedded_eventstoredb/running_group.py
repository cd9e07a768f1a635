"""Runs a consumer group: reads its source, sends events to consumers, writes checkpoints.

One task does everything, a page at a time, and sleeps until an ack, a consumer, the timer or a new
record wakes it.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from itertools import count
from typing import Final

from embedded_eventstoredb.consumer_group import ConsumerGroup, Nack
from embedded_eventstoredb.errors import (
    Refusal,
    group_dropped,
    group_failed,
    group_full,
)
from embedded_eventstoredb.filters import Filter
from embedded_eventstoredb.group_connection import (
    AnswerTimes,
    Client,
    Connection,
    Measurement,
    Meter,
)
from embedded_eventstoredb.group_records import (
    load_checkpoint,
    load_parked,
    park,
    parked_stream,
    truncate_parked,
    write_checkpoint,
)
from embedded_eventstoredb.group_settings import GroupSettings
from embedded_eventstoredb.group_source import Source
from embedded_eventstoredb.storage import Storage, Transaction
from embedded_eventstoredb.streams import Resolved

_log = logging.getLogger(__name__)
_names = count(1)
_WRITING: Final = 1.0  # seconds that a stop waits for a running write


class RunningGroup:
    """A running group; it starts at once. ``wanted`` is the filter on ``$all``."""

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
        self._lost = self.last_known is None and not self._source.begins_at_a_record
        self._read_to = self._source.start if self.last_known is None else self.last_known
        self._woken = asyncio.Event()
        self._grown = True
        self._ticked = self._timer = False
        self._stopping = False
        self._fault: Refusal | None = None
        self._meter = Meter()
        self._task = asyncio.create_task(self._work(), name=f"group {settings.key}")

    @property
    def _dropped(self) -> Refusal:
        return group_dropped(self.settings.stream, self.settings.group)

    @property
    def status(self) -> str:
        """The server's status: whether the group has read everything."""
        if self._lost:
            return "Behind, OutstandingPageRequest"
        replaying = "ReplayingParkedMessages, " if self.state.parked.wanted else ""
        return replaying + ("Live" if self.at_end else "Behind")

    def wake(self) -> None:
        self._woken.set()

    def grow(self) -> None:
        """Read on: its source has been written to."""
        self._grown = True
        self._woken.set()

    def tick(self, *, checkpoint: bool) -> None:
        """Check timeouts; with ``checkpoint``, also whether one is due by time."""
        if not (self.state.in_flight or (checkpoint and self.state.progress.advanced)):
            return
        self._ticked = True
        self._timer = self._timer or checkpoint
        self._woken.set()

    def connect(self, slots: int, client: Client) -> Connection:
        """Add a consumer; if the start of the group is not at a record, it is dropped at once.

        Raises a Refusal if the group is full, stopping or has failed.
        """
        most = self.settings.max_subscriber_count
        if most and len(self.connections) >= most:
            raise group_full(self.settings.stream, self.settings.group)
        if self._stopping:
            raise self._dropped
        if self._fault:
            raise self._fault
        times = AnswerTimes() if self.settings.extra_statistics else None
        consumer = self.state.connect(str(next(_names)), slots)
        connection = self.connections[consumer.name] = Connection(consumer, client, times)
        if self._lost:
            self._drop_all(self._dropped)
        self.wake()
        return connection

    def disconnect(self, connection: Connection) -> None:
        """Remove a consumer; its events go to the others."""
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
        """Deliver parked events again: those before number ``stop_at`` (None: all current ones)."""
        self.state.parked.replay(stop_at)
        self.wake()

    async def stop(self) -> None:
        """Drop all consumers and stop. Progress after the last checkpoint is lost."""
        self._stopping = True
        self._drop_all(self._dropped)
        self.wake()
        await asyncio.wait([self._task], timeout=_WRITING)
        self._task.cancel()

    def measure(self) -> Measurement:
        """What was delivered since the last call of this method."""
        return self._meter.measure(self.state.total_items)

    async def _work(self) -> None:
        try:
            while not self._stopping:
                self._woken.clear()
                timer, self._timer = self._timer, False
                if self._ticked:
                    self._ticked = False
                    self.state.expire(time.monotonic())
                more = not self._lost and (self._read_parked() or self._read())
                self._deliver()
                if await self._write_down(timer) or more:
                    self._woken.set()
                await asyncio.sleep(0)
                await self._woken.wait()
        except Exception as error:  # any error: consumers must not wait for a failed group
            _log.exception("persistent subscription %s failed", self.settings.key)
            self._fault = group_failed(self.settings.stream, self.settings.group, str(error))
            self._drop_all(self._fault)

    def _read(self) -> bool:
        if not self.state.has_room:
            self.at_end = False
            return False
        if not self._grown:
            return False
        page = self._source.page(self._read_to)
        self.at_end = page is None
        if page is None:
            self._grown = False
            return False
        self._read_to = page.up_to
        self.state.offer(page.events, page.considered, page.up_to, page.passed)
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
            self.connections[consumer.name].send(message)

    async def _write_down(self, timer: bool) -> bool:
        """Write parked events, truncation and checkpoint in one commit."""
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
            connection.drop(reason)
