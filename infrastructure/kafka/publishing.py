"""Publishes in transactions, under an id that all forwarders of a service have.

Starting a producer under that id fences the one before it, and settles its last transaction. All
that is published is read back after that, so the position is that of the last commit.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException, Producer

from application.integration_events import Outgoing
from application.ports import ForwarderStanding, RecordTooLarge
from infrastructure.kafka import cloud_events
from infrastructure.kafka.blocking import Faults, Thread, answers
from infrastructure.kafka.cloud_events import Headers
from infrastructure.kafka.reading_back import KEY, written

TRANSACTION: Final = 20.0  # seconds, after which the broker aborts it, so that readers go on
_SMALLEST, _LARGEST = 1_000, 1_000_000_000  # bytes that the client takes as a limit
_BATCH: Final = 1_000_000  # bytes
_AT_ONCE: Final = 500  # records: a few milliseconds
_FRAME: Final = 100  # bytes around the records of a batch, at most
CONFIG: Final[Mapping[str, Any]] = {
    "acks": "all",
    "enable.idempotence": True,
    "partitioner": "murmur2_random",  # as Java's producers: a key has one partition for all
    "compression.type": "lz4",
    "linger.ms": 5,
}

T = TypeVar("T")


class Publisher:
    """A :class:`~application.ports.Publisher`. What it publishes is committed in ``thread``."""

    def __init__(self, thread: Thread, transactions: "Transactions") -> None:
        self._thread, self._transactions = thread, transactions
        self.standing: ForwarderStanding | None = None

    async def publish(self, batch: Sequence[Outgoing], standing: ForwarderStanding) -> None:
        await self._transactions.produce(batch, standing)
        await self._thread.run(self._transactions.commit)


class Transactions:
    """Of one producer. What blocks is to be called in that thread."""

    def __init__(
        self,
        settings: Mapping[str, Any],
        id: str,
        prefix: str,
        limits: Mapping[str, int],
        thread: Thread,
        seconds: float,
    ) -> None:
        """``id``: of the transactions, and the topic of positions; ``prefix``: of all topics;
        ``limits``: the bytes that a record may have, by topic; ``seconds``: of a transaction."""
        self._positions, self._prefix, self._limits = id, prefix, limits
        self._thread, self._faults = thread, Faults()
        sizes = {
            "message.max.bytes": min(max(_SMALLEST, *limits.values()), _LARGEST),
            "batch.size": min(max(1, min(limits.values()) - _FRAME), _BATCH),
            "transaction.timeout.ms": round(seconds * 1000),
        }
        own = {"transactional.id": id, "error_cb": self._faults.note}
        with answers(self._faults):
            self._producer = Producer({**CONFIG, **sizes, **settings, **own})

    def begin(self) -> None:
        """Fence the producer before. Blocks. Raises ``BusUnavailable``."""
        with answers(self._faults):
            try:
                self._thread.in_slices(self._producer.init_transactions)
            finally:
                self._producer.poll(0)  # calls back with what was wrong

    async def produce(self, batch: Sequence[Outgoing], standing: ForwarderStanding) -> None:
        """Hand all to the client, which sends it. Raises as ``Publisher.publish``.

        Here rather than in the thread: two threads that compute would hinder each other.
        """
        made: list[Record] = []
        for part in _parts(batch):
            made += map(self._made, part)
            await asyncio.sleep(0)
        made.append((self._positions, written(standing), KEY, []))
        with answers(self._faults):
            self._producer.begin_transaction()
            for records in _parts(made):
                for record in records:
                    if not self._is_taken(record):
                        await self._thread.run(partial(self._hand_over_later, record))
                await asyncio.sleep(0)

    def commit(self) -> None:
        """Blocks. Raises ``Fenced`` and ``BusUnavailable``."""
        with answers(self._faults):
            self._thread.in_slices(self._producer.commit_transaction)

    def _made(self, outgoing: Outgoing) -> "Record":
        """Raises ``RecordTooLarge``."""
        topic = f"{self._prefix}{outgoing.topic}"
        headers, limit = cloud_events.headers(outgoing.event), self._limits[topic]
        if size := cloud_events.size_above(limit, outgoing, headers):
            raise RecordTooLarge(outgoing, size, limit, topic)
        return topic, outgoing.event.data, outgoing.key, headers

    def _is_taken(self, record: "Record") -> bool:
        """Whether the client has room for it."""
        topic, value, key, headers = record
        try:
            self._producer.produce(topic, value, key, headers=headers)
        except BufferError:
            return False
        return True

    def _hand_over_later(self, record: "Record") -> None:
        """Blocks, until the client has room."""

        def attempt(seconds: float) -> None:
            self._producer.poll(seconds)
            if not self._is_taken(record):
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

        self._thread.in_slices(attempt)

    def discard(self) -> None:
        """Give up what is on its way. The producer is of no use after that."""
        self._producer.purge()
        del self._producer


Record = tuple[str, bytes, str | bytes, Headers]
"""Topic, value, key and headers."""


def _parts(all: Sequence[T]) -> Iterator[Sequence[T]]:
    """So many at a time that other tasks of the event loop need not wait for long."""
    for first in range(0, len(all), _AT_ONCE):
        yield all[first : first + _AT_ONCE]
