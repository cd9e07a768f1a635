"""What has been committed: the position of the forwarder, and whether there is any record.

All calls block.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from pydantic import TypeAdapter, ValidationError

from application.ports import BusUnavailable, ForwarderStanding, PositionLost
from infrastructure.kafka.blocking import Faults, answers, no_topic, patiently

KEY: Final = b"position"
_ANSWER: Final = 10.0  # seconds
_LAST: Final = 100  # offsets that are looked at first; each transaction takes two
_CONFIG: Final[Mapping[str, Any]] = {
    "group.id": "headwater-forwarder",  # which is not joined: the client wants a name
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
    "enable.partition.eof": True,
    "auto.offset.reset": "earliest",
    "fetch.wait.max.ms": 10,  # the end is seen at once
}
_NOT_THERE: Final = frozenset(
    {KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART}
)
_STANDING: Final = TypeAdapter(ForwarderStanding)


def written(standing: ForwarderStanding) -> bytes:
    """The value of a record of the position."""
    return _STANDING.dump_json(standing)


class ReadingBack:
    """All methods raise ``BusUnavailable``."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings

    def standing(self, topic: str) -> ForwarderStanding | None:
        """What was committed last to this topic of positions. Raises :class:`PositionLost`."""
        with reading(self._settings) as consumer:
            low, high = ends(consumer, TopicPartition(topic, 0))
            looked, first = _LAST, high
            while first > low:  # aborted transactions take offsets, too, however many there were
                first = max(low, high - looked)
                found = [*until_end(consumer, [TopicPartition(topic, 0, first)])]
                if found:
                    return _read(topic, found[-1])
                looked *= 10
        return None

    def has_records(self, topics: Mapping[str, int]) -> bool:
        """Whether any record was ever committed to these topics, by their partitions."""
        places = [
            TopicPartition(topic, number)
            for topic, partitions in topics.items()
            for number in range(partitions)
        ]
        with reading(self._settings) as consumer:
            if any(ends(consumer, place)[0] > 0 for place in places):
                return True  # the first ones have been deleted since
            started = [TopicPartition(one.topic, one.partition, 0) for one in places]
            return any(True for _ in until_end(consumer, started))


@contextmanager
def reading(settings: Mapping[str, Any], **differing: Any) -> Iterator[Consumer]:
    """A consumer of what is committed, in no group. Raises ``BusUnavailable``."""
    faults = Faults()
    with answers(faults):
        consumer = Consumer({**_CONFIG, **settings, **differing, "error_cb": faults.note})
        try:
            yield consumer
        finally:
            consumer.close()


def ends(consumer: Consumer, place: TopicPartition) -> tuple[int, int]:
    """Its first offset, and the one after its last."""
    try:
        return patiently(lambda seconds: consumer.get_watermark_offsets(place, seconds), _ANSWER)
    except KafkaException as error:
        if error.args[0].code() in _NOT_THERE:
            raise no_topic([place.topic]) from error
        raise


def until_end(consumer: Consumer, places: Sequence[TopicPartition]) -> Iterator[Message]:
    """What is committed, from these offsets on."""
    consumer.assign([*places])
    reading = {(place.topic, place.partition) for place in places}
    until = monotonic() + _ANSWER
    while reading:
        message = consumer.poll(0.1)
        if message is None:
            if monotonic() > until:
                raise BusUnavailable("Kafka: a topic cannot be read to its end")
            continue
        if (error := message.error()) is None:
            yield message
        elif error.code() == KafkaError._PARTITION_EOF:
            reading.discard((message.topic() or "", message.partition() or 0))
        else:
            raise KafkaException(error)


def _read(topic: str, message: Message) -> ForwarderStanding:
    try:
        return _STANDING.validate_json(message.value() or b"")
    except ValidationError as error:
        raise PositionLost(f"the last record of {topic} is not a position") from error
