"""Topics of other parties, read by consumer groups of Kafka.

The client blocks, so it has a thread of its own, which polls, commits and answers rebalances. A
partition is given away in order: what is in hand is settled first, for ``GRACE`` seconds at most,
and what is done is committed. So what comes again to another consumer comes after that.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from threading import Event, Thread
from time import monotonic
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from application.ports import BusRecord, BusUnavailable, TopicLag
from infrastructure.kafka.consumer_faults import ConsumerFaults
from infrastructure.kafka.partition import Partition, Place, Progress
from infrastructure.kafka.partitions import Partitions
from infrastructure.kafka.records import record_of

GRACE: Final = 5.0  # seconds for work in hand, when a partition goes to another consumer
COMMIT_EVERY: Final = 0.5  # seconds
_TURN: Final = 0.05  # seconds that a poll waits for a record
_HURRIED: Final = 0.002  # the same while records wait for a commit
_ANSWER: Final = 5.0  # seconds that the broker has to answer
_LEAVING: Final = 15.0  # seconds after which the thread is left to itself: the broker is away
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

    def __init__(
        self, settings: Mapping[str, Any], prefix: str = "", *, setting: str = "bootstrap.servers"
    ) -> None:
        """``prefix``: what the names of all topics and groups begin with on this broker.

        Faults of the connection name ``setting``.
        """
        self._settings, self._prefix, self._setting = settings, prefix, setting

    @asynccontextmanager
    async def consume(
        self, group: str, topics: Sequence[str], *, buffer: int = 100
    ) -> AsyncIterator["_Arrivals"]:
        settings = {**_CONFIG, **self._settings, "group.id": f"{self._prefix}{group}"}
        arrivals = _Arrivals(settings, topics, buffer, self._prefix, self._setting)
        try:
            yield arrivals
        finally:
            await arrivals.close()


class _Arrivals:
    """An :class:`~application.ports.Arrivals`."""

    def __init__(
        self,
        settings: Mapping[str, Any],
        topics: Sequence[str],
        buffer: int,
        prefix: str,
        setting: str,
    ) -> None:
        self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()
        self._prefix, self._faults = prefix, ConsumerFaults(setting)
        self._partitions, self._ending = Partitions(buffer), Event()
        self._committing: Mapping[Place, Progress] = {}
        self._topics = [f"{prefix}{topic}" for topic in topics]
        self._failed: BusUnavailable | None = None
        try:
            self._consumer = Consumer(
                {
                    **settings,
                    "error_cb": self._faults.of_connection,
                    "stats_cb": self._faults.statistics,
                    "on_commit": self._committed,
                }
            )
        except KafkaException as error:
            raise BusUnavailable(f"Kafka's client refuses its settings: {error}") from error
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
        return self._faults.text

    def lags(self) -> Mapping[str, TopicLag]:
        lags = self._partitions.lags()
        return {topic.removeprefix(self._prefix): lag for topic, lag in lags.items()}

    def settle(self, partition: Partition, record: BusRecord, *, done: bool) -> None:
        self._partitions.settle(partition, record, done=done)
        self._news.set()

    async def close(self) -> None:
        """Commit what is done, and leave the group. What is in hand goes to others."""
        self._ending.set()
        await asyncio.to_thread(self._thread.join, _LEAVING)

    # ── in the thread ────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        try:
            self._consumer.subscribe(self._topics, self._assigned, self._revoked, self._lost)
            self._poll()
        except KafkaException as error:
            self._fail(str(error.args[0]))
        finally:
            with suppress(KafkaException, RuntimeError):
                self._leave()
            with suppress(KafkaException, RuntimeError):
                self._consumer.close()
            self._fail("this consumer has left: its records go to others")

    def _poll(self) -> None:
        looked = monotonic()
        while not self._ending.is_set():
            hurried = self._partitions.wait_for_commit
            message, taken = self._consumer.poll(_HURRIED if hurried else _TURN), 0
            while message is not None and not self._ending.is_set():
                self._take(message)
                taken += 1
                message = self._consumer.poll(0) if taken < _AT_ONCE else None
            if taken:
                self._wake()
            self._pace()
            due = monotonic() - looked >= COMMIT_EVERY
            with suppress(KafkaException):  # the next turn tries again
                self._begin()
                if (due or self._partitions.wait_for_commit) and not self._committing:
                    self._commit(self._partitions.progress())
            if due:
                looked = monotonic()
                self._look()

    def _take(self, message: Message) -> None:
        error, place = message.error(), (message.topic() or "", message.partition() or 0)
        if error is None:
            self._partitions.arrived(record_of(message))
        elif error.code() == KafkaError._PARTITION_EOF:
            self._partitions.at_end(place, message.offset() or 0)
        elif error.fatal():
            raise KafkaException(error)
        else:
            self._faults.of_topic(message.topic(), error)

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

    def _begin(self) -> None:
        """Find how many consumers have died at the first records of new partitions."""
        if places := self._partitions.to_begin():
            for one in self._consumer.committed(_at(places), timeout=_ANSWER):
                if one.error is None:
                    mark = one.metadata or ""
                    deaths = int(mark) if mark.isdecimal() else 0
                    self._partitions.begin((one.topic, one.partition), deaths)
            self._wake()

    def _commit(self, progress: Mapping[Place, Progress]) -> None:
        """Begin it. A call that waits for its end would wait as long as the broker is away."""
        if progress:
            self._consumer.commit(offsets=_offsets(progress), asynchronous=True)
            self._committing = progress

    def _committed(self, error: KafkaError | None, places: list[TopicPartition]) -> None:
        begun, self._committing = self._committing, {}
        done = {(one.topic, one.partition) for one in places if one.error is None}
        if error is None:
            self._partitions.committed({at: begun[at] for at in begun if at in done})
        self._wake()

    def _leave(self) -> None:
        """Commit what is done, if the broker answers in time."""
        self._partitions.release(places := self._partitions.places(), 0.0)
        self._commit(self._partitions.left(places))
        end = monotonic() + _ANSWER
        while self._committing and monotonic() < end:
            self._consumer.poll(_HURRIED)

    def _assigned(self, _: Consumer, places: list[TopicPartition]) -> None:
        for place in places:
            self._partitions.assigned((place.topic, place.partition))
        self._faults.connected()

    def _revoked(self, _: Consumer, places: list[TopicPartition]) -> None:
        """They go to another consumer: settle what is in hand, and commit what is done."""
        revoked = [(place.topic, place.partition) for place in places]
        if not self._ending.is_set():  # else that is done
            self._partitions.release(revoked, GRACE)
            with suppress(KafkaException):
                left = _offsets(self._partitions.left(revoked))
                self._consumer.commit(offsets=left, asynchronous=False)
        self._partitions.forget(revoked)

    def _lost(self, _: Consumer, places: list[TopicPartition]) -> None:
        """Another consumer has them already: nothing can be committed."""
        self._partitions.forget([(place.topic, place.partition) for place in places])

    def _fail(self, why: str) -> None:
        self._failed = self._failed or BusUnavailable(why)
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
    def deaths(self) -> int:
        return self._partition.deaths_at(self._fetched.offset)

    @property
    def lost(self) -> bool:
        return self._partition.lost

    def done(self) -> None:
        self._arrivals.settle(self._partition, self._fetched, done=True)

    def drop(self) -> None:
        self._arrivals.settle(self._partition, self._fetched, done=False)


def _offsets(progress: Mapping[Place, Progress]) -> list[TopicPartition]:
    """With the mark of each beside its offset."""
    return [
        TopicPartition(*place, offset, metadata=mark) for place, (offset, mark) in progress.items()
    ]


def _at(places: list[Place]) -> list[TopicPartition]:
    return [TopicPartition(*place) for place in places]
