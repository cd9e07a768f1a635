"""When records were published: they are looked for in the topics, by their times.

A record is written after its event was recorded, so each is looked for from that time on: in all
partitions of its topic, since the number of these can have changed. All calls block.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from time import monotonic
from typing import Any, Final

from confluent_kafka import Consumer, Message, TopicPartition

from application.ports import Sought
from infrastructure.kafka.blocking import no_topic
from infrastructure.kafka.reading_back import reading, until_end
from infrastructure.kafka.records import record_of

_ANSWER: Final = 5.0  # seconds
_PATIENCE: Final = 2.0  # seconds, after which the next one is not looked for
_FURTHEST: Final = 10_000  # records that are read for one
_SKEW: Final = timedelta(seconds=2)  # by which the clock of a publisher may be behind

Name = tuple[str, str, str]
"""Topic, id and type of a record."""


class LookingUp:
    """In topics whose names begin with ``prefix`` in Kafka."""

    def __init__(self, settings: Mapping[str, Any], prefix: str) -> None:
        self._settings, self._prefix = settings, prefix

    def times(self, sought: Sequence[Sought]) -> Mapping[Name, datetime]:
        """Of those that were found: each as it came first. Raises ``BusUnavailable``."""
        if not sought:
            return {}
        found: dict[Name, datetime] = {}
        until = monotonic() + _PATIENCE
        with reading(self._settings) as consumer:
            places = _partitions(consumer, {self._prefix + one.topic for one in sought})
            for one in sorted(sought, key=lambda one: one.since):
                if one.name not in found and monotonic() < until:
                    self._look_for(one, consumer, places[self._prefix + one.topic], found)
        return {one.name: found[one.name] for one in sought if one.name in found}

    def _look_for(
        self, one: Sought, consumer: Consumer, places: Sequence[int], found: dict[Name, datetime]
    ) -> None:
        """Adds to ``found`` what comes on the way: others are often close by."""
        topic, since = self._prefix + one.topic, round((one.since - _SKEW).timestamp() * 1000)
        times = [TopicPartition(topic, number, since) for number in places]
        begins = consumer.offsets_for_times(times, timeout=_ANSWER)
        later = [place for place in begins if place.offset >= 0]  # the others end before that
        for message in islice(until_end(consumer, later), _FURTHEST):
            name, at = self._named(message)
            if at is not None:
                found.setdefault(name, at)
            if name == one.name:
                return

    def _named(self, message: Message) -> tuple[Name, datetime | None]:
        record = record_of(message)
        headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
        topic = record.topic.removeprefix(self._prefix)
        name = (topic, headers.get("ce_id", ""), headers.get("ce_type", ""))
        return name, record.timestamp


def _partitions(consumer: Consumer, topics: Collection[str]) -> Mapping[str, Sequence[int]]:
    there = consumer.list_topics(timeout=_ANSWER).topics
    if missing := sorted({*topics} - {*there}):
        raise no_topic(missing)
    return {topic: [*there[topic].partitions] for topic in topics}
