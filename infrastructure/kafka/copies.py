"""What Kafka keeps of a service: all records in its topics, also those of no committed batch."""

import asyncio
from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from time import monotonic
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from application.ports import BusRecord, BusUnavailable, Copy
from infrastructure.kafka.blocking import SLICE, Thread, no_topic
from infrastructure.kafka.reading_back import ends, reading
from infrastructure.kafka.records import record_of
from infrastructure.kafka.topics import Topics

_AT_ONCE: Final = 200  # records
_SILENCE: Final = 10.0  # seconds without a record after which the broker is taken to be away
_CONFIG: Final[Mapping[str, Any]] = {
    "isolation.level": "read_uncommitted",  # what was aborted can be read by others, too
    "queued.max.messages.kbytes": 8_192,
}
Ends = Mapping[tuple[str, int], tuple[int, int]]
"""Of each partition: its first offset, and the one after its last."""


class Copies:
    """A :class:`~application.ports.Copies`: the topics of events, and the one of the position."""

    name, unit = "Kafka", "records"

    def __init__(
        self, settings: Mapping[str, Any], service: str, topics: Sequence[str], prefix: str = ""
    ) -> None:
        """As for a ``Bus``."""
        events = [f"{prefix}{topic}" for topic in topics]
        self._settings = settings
        self._topics = Topics(settings, events, f"{prefix}{service}-forwarder")

    async def kept(self) -> AsyncIterator[Copy]:
        """Raises ``BusUnavailable``, also for a missing topic."""
        thread, batches = Thread("kafka copies"), self._batches()
        try:
            while (batch := await thread.run(lambda: next(batches, None))) is not None:
                for one in batch:
                    yield _copy(one)
        finally:
            await thread.end(batches.close)

    async def beyond(self) -> Sequence[str]:
        found = await asyncio.to_thread(self._found)
        cut = sorted({topic for (topic, _), (first, _) in found.items() if first > 0})
        removed = (
            [f"the oldest records of {', '.join(cut)}, which were removed there"] if cut else []
        )
        return [*removed, "what others have read there, and keep"]

    def _found(self) -> Ends:
        with reading(self._settings) as consumer:
            return self._ends(consumer)

    def _ends(self, consumer: Consumer) -> Ends:
        standings = self._topics.standings()
        if missing := [one.name for one in standings if not one.exists]:
            raise no_topic(missing)
        places = [(one.name, number) for one in standings for number in range(one.partitions or 0)]
        return {place: ends(consumer, TopicPartition(*place)) for place in places}

    def _batches(self) -> Generator[Sequence[BusRecord]]:
        """Up to what each partition ends with now; a batch may be empty. Its calls block."""
        with reading(self._settings, **_CONFIG) as consumer:
            found = self._ends(consumer)
            left = {place: last for place, (first, last) in found.items() if last > first}
            consumer.assign([TopicPartition(*place, found[place][0]) for place in left])
            until = monotonic() + _SILENCE
            while left:
                messages = consumer.consume(_AT_ONCE, SLICE)
                if messages:
                    until = monotonic() + _SILENCE
                elif monotonic() > until:
                    raise BusUnavailable(f"Kafka: {len(left)} partitions cannot be read to the end")
                yield [record_of(one) for one in messages if _counted(one, left)]


def _counted(message: Message, left: dict[tuple[str, int], int]) -> bool:
    """Whether it is a record. A partition that is at its end is ``left`` no more."""
    place, error = (message.topic() or "", message.partition() or 0), message.error()
    at_end = error is not None and error.code() == KafkaError._PARTITION_EOF
    if error is not None and not at_end:
        raise KafkaException(error)
    if at_end or (message.offset() or 0) + 1 >= left.get(place, 0):
        left.pop(place, None)
    return error is None


def _copy(record: BusRecord) -> Copy:
    headers = (part for name, value in record.headers for part in (name.encode(), value))
    parts = [part for part in (record.key, record.value, *headers) if part is not None]
    return Copy(f"record {record.topic}/{record.partition}@{record.offset}", parts)
