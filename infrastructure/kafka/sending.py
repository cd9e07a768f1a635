"""Sends events to topics, each at least once: for a party that keeps no position on the bus."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from application.integration_events import Outgoing
from application.ports import BusUnavailable
from infrastructure.kafka import cloud_events
from infrastructure.kafka.blocking import Faults

_CONFIG: Final[Mapping[str, Any]] = {
    "acks": "all",
    "enable.idempotence": True,
    "partitioner": "murmur2_random",  # as Java's producers: a key has one partition for all
    "message.timeout.ms": 30_000,
}

_ANSWER: Final = 10.0  # seconds

Send = Callable[[Outgoing], Awaitable[None]]
"""Returns once the broker has the event. Raises ``BusUnavailable``: it may have it, too."""


@asynccontextmanager
async def sending(settings: Mapping[str, Any], prefix: str = "") -> AsyncIterator[Send]:
    """``prefix``: what the names of all topics begin with on this broker."""
    faults = Faults()
    producer = Producer({**_CONFIG, **settings, "error_cb": faults.note})

    async def send(outgoing: Outgoing) -> None:
        failed: list[KafkaError] = []
        producer.produce(
            f"{prefix}{outgoing.topic}",
            outgoing.event.data,
            outgoing.key,
            headers=cloud_events.headers(outgoing.event),
            on_delivery=lambda error, _: failed.append(error) if error else None,
        )
        await asyncio.to_thread(producer.flush)
        if failed:
            raise BusUnavailable(faults.because(failed[0].str()))

    try:
        yield send
    finally:
        producer.purge()


async def create_topic(settings: Mapping[str, Any], topic: str) -> None:
    """Create it unless it is there, as the broker has it by default. Raises ``BusUnavailable``."""
    await asyncio.to_thread(_create, settings, topic)


def _create(settings: Mapping[str, Any], topic: str) -> None:
    faults = Faults()
    configuration: dict[str, Any] = {**settings, "error_cb": faults.note}
    admin = AdminClient(configuration)  # its calls end with it
    try:
        admin.create_topics([NewTopic(topic)])[topic].result(_ANSWER)
    except TimeoutError as error:
        raise BusUnavailable(faults.because(f"no answer within {_ANSWER:g} s")) from error
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise BusUnavailable(faults.because(error.args[0].str())) from error
