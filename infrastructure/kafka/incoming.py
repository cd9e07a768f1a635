"""Topics of other parties, read by consumer groups of Kafka.

The client blocks, so it has a thread of its own, which polls, commits and answers rebalances. A
partition is given away in order: what is in hand is settled first, for ``GRACE`` seconds at most,
and what is done is committed. So what comes again to another consumer comes after that.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from threading import Event, Thread
from time import monotonic
from typing import Any, Final

from confluent_kafka import (
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from application.ports import BusRecord, StoreUnavailable, TopicLag
from infrastructure.kafka.partitions import Partition, Partitions, Place

GRACE: Final = 5.0  # seconds for work in hand, when a partition goes to another consumer
COMMIT_EVERY: Final = 0.5  # seconds
_TURN: Final = 0.05  # seconds that a poll waits for a record
_AT_ONCE: Final = 200  # records that are taken from the client in one turn
_CONFIG: Final[Mapping[str, Any]] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "earliest",
    "isolation.level": "read_committed",
    "partition.assignment.strategy": "cooperative-sticky",
    "enable.partition.eof": True,  # transactions have offsets without a record: this shows the end
    "session.timeout.ms": 10_000,  # a consumer that was killed is missed after that
    "topic.metadata.refresh.interval.ms": 10_000,  # a topic that is created later is noticed
    "queued.max.messages.kbytes": 16_384,
    "statistics.interval.ms": 2_000,
    "log_level": 0,  # what is wrong is in `fault`
}


class IncomingRecords:
    """An :class:`~application.ports.IncomingRecords` over the broker of these client settings."""

    def __init__(self, settings: Mapping[str, Any], prefix: str = "") -> None:
        """``prefix``: what the names of all topics and groups begin with on this broker."""
        self._settings, self._prefix = settings, prefix

    @asynccontextmanager
    async def consume(
        self, group: str, topics: Sequence[str], *, buffer: int = 100
    ) -> AsyncIterator["_Arrivals"]:
        settings = {**_CONFIG, **self._settings, "group.id": f"{self._prefix}{group}"}
        arrivals = _Arrivals(settings, topics, buffer, self._prefix)
        try:
            yield arrivals
        finally:
            await arrivals.close()


class _Arrivals:
    """An :class:`~application.ports.Arrivals`."""

    def __init__(
        self, settings: Mapping[str, Any], topics: Sequence[str], buffer: int, prefix: str
    ) -> None:
        self._loop, self._news, self._prefix = asyncio.get_running_loop(), asyncio.Event(), prefix
        self._partitions, self._ending = Partitions(buffer), Event()
        self._topics = [f"{prefix}{topic}" for topic in topics]
        self._failed: StoreUnavailable | None = None
        self._faults: dict[str, str] = {"connection": "it is not connected yet"}
        try:
            self._consumer = Consumer(
                {**settings, "error_cb": self._error, "stats_cb": self._statistics}
            )
        except KafkaException as error:
            raise StoreUnavailable(f"Kafka's client refuses its settings: {error}") from error
        self._thread = Thread(target=self._run, name=f"kafka {settings['group.id']}", daemon=True)
        self._thread.start()

    def __aiter__(self) -> "_Arrivals":
        return self

    async def __anext__(self) -> "_Arrival":
        while True:
            self._news.clear()
            if self._failed:
                raise self._failed
            if found := self._partitions.next():
                return _Arrival(self, *found)
            await self._news.wait()

    @property
    def fault(self) -> str | None:
        return "; ".join(self._faults.values()) or None

    def lags(self) -> Mapping[str, TopicLag]:
        lags = self._partitions.lags()
        return {topic.removeprefix(self._prefix): lag for topic, lag in lags.items()}

    def settle(self, partition: Partition, record: BusRecord, *, done: bool) -> None:
        self._partitions.settle(partition, record, done=done)
        self._news.set()

    async def close(self) -> None:
        """Commit what is done, and leave the group. What is in hand goes to others."""
        self._ending.set()
        await asyncio.to_thread(self._thread.join)

    # ── in the thread ────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        try:
            self._consumer.subscribe(self._topics, self._assigned, self._revoked, self._lost)
            self._poll()
        except KafkaException as error:
            self._fail(str(error.args[0]))
        finally:
            with suppress(KafkaException, RuntimeError):
                self._commit()
            with suppress(KafkaException, RuntimeError):
                self._consumer.close()
            self._fail("this consumer has left: its records go to others")

    def _poll(self) -> None:
        looked = monotonic()
        while not self._ending.is_set():
            message, taken = self._consumer.poll(_TURN), 0
            while message is not None and not self._ending.is_set():
                self._take(message)
                taken += 1
                message = self._consumer.poll(0) if taken < _AT_ONCE else None
            if taken:
                self._wake()
            self._pace()
            if monotonic() - looked >= COMMIT_EVERY:
                looked = monotonic()
                self._look()
                with suppress(KafkaException):  # the next one tries again
                    self._commit()

    def _take(self, message: Message) -> None:
        error, place = message.error(), (message.topic() or "", message.partition() or 0)
        if error is None:
            self._partitions.arrived(_record(message))
        elif error.code() == KafkaError._PARTITION_EOF:
            self._partitions.at_end(place, message.offset() or 0)
        elif error.fatal():
            raise KafkaException(error)
        else:
            self._faults[f"topic {message.topic()}"] = error.str()

    def _pace(self) -> None:
        """Fetch no more of partitions whose records wait, and more of the others."""
        if full := self._partitions.to_pause():
            self._consumer.pause(_at(full))
        if free := self._partitions.to_resume():
            self._consumer.resume(_at(free))

    def _look(self) -> None:
        for topic, partition in self._partitions.places():
            with suppress(KafkaException):
                place = TopicPartition(topic, partition)
                found = self._consumer.get_watermark_offsets(place, cached=True)
                if found and found[1] >= 0:
                    self._partitions.reaches((topic, partition), found[1])

    def _commit(self) -> None:
        if offsets := self._partitions.progress():
            places = [TopicPartition(*place, offset) for place, offset in offsets.items()]
            for one in self._consumer.commit(offsets=places, asynchronous=False) or ():
                if one.error is None:
                    self._partitions.committed({(one.topic, one.partition): one.offset})

    def _assigned(self, _: Consumer, places: list[TopicPartition]) -> None:
        for place in places:
            self._partitions.assigned((place.topic, place.partition))
        self._faults.pop("connection", None)

    def _revoked(self, _: Consumer, places: list[TopicPartition]) -> None:
        """They go to another consumer: settle what is in hand, and commit what is done."""
        revoked = [(place.topic, place.partition) for place in places]
        self._partitions.release(revoked, 0.0 if self._ending.is_set() else GRACE)
        with suppress(KafkaException):
            self._commit()
        self._partitions.forget(revoked)

    def _lost(self, _: Consumer, places: list[TopicPartition]) -> None:
        """Another consumer has them already: nothing can be committed."""
        self._partitions.forget([(place.topic, place.partition) for place in places])

    def _error(self, error: KafkaError) -> None:
        self._faults["connection"] = error.str()

    def _statistics(self, text: str) -> None:
        """Clears faults that have passed: the client reports only that they begin."""
        found = json.loads(text)
        if any(one["state"] == "UP" for one in found["brokers"].values()):
            self._faults.pop("connection", None)
        for topic, known in found["topics"].items():
            if any(number != "-1" for number in known["partitions"]):
                self._faults.pop(f"topic {topic}", None)

    def _fail(self, why: str) -> None:
        self._failed = self._failed or StoreUnavailable(why)
        self._wake()

    def _wake(self) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._news.set)


class _Arrival:
    """An :class:`~application.ports.Arrival`."""

    def __init__(self, arrivals: _Arrivals, partition: Partition, record: BusRecord) -> None:
        self._arrivals, self._partition, self._fetched = arrivals, partition, record

    @property
    def record(self) -> BusRecord:
        return self._fetched

    @property
    def lost(self) -> bool:
        return self._partition.lost

    def done(self) -> None:
        self._arrivals.settle(self._partition, self._fetched, done=True)

    def drop(self) -> None:
        self._arrivals.settle(self._partition, self._fetched, done=False)


def _at(places: list[Place]) -> list[TopicPartition]:
    return [TopicPartition(*place) for place in places]


def _record(message: Message) -> BusRecord:
    kind, milliseconds = message.timestamp()
    written = None
    if kind != TIMESTAMP_NOT_AVAILABLE:
        written = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return BusRecord(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        _bytes(message.key()),
        _bytes(message.value()),
        tuple((name, _bytes(value)) for name, value in _headers(message)),
        written,
    )


def _headers(message: Message) -> Sequence[tuple[str, str | bytes | None]]:
    found = message.headers() or ()
    return [*found.items()] if isinstance(found, dict) else found


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
