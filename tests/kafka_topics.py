"""Topics on a broker for a test, and a way to put records there, as another party does."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its types hide names
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)
from confluent_kafka.cimpl import NewTopic

from application.ports import BusRecord
from application.ports.incoming import Headers
from infrastructure.kafka import client_settings
from infrastructure.kafka.records import record_of
from infrastructure.settings import Settings
from tests.waiting import PATIENCE

Put = Callable[[str, bytes | None, bytes | None, Headers], Awaitable[None]]


@asynccontextmanager
async def putting(address: str, *topics: str, partitions: int = 3) -> AsyncIterator[Put]:
    """Creates the topics; yields a function that returns once the broker has the record."""
    if topics:
        await asyncio.to_thread(create, address, *topics, partitions=partitions)
    producer = Producer(
        {"bootstrap.servers": address, "partitioner": "murmur2_random", "log_level": 0}
    )

    async def put(topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        producer.produce(topic, value, key, headers=list(headers))
        await asyncio.to_thread(producer.flush)

    yield put


def settings(address: str) -> Mapping[str, Any]:
    """What the adapters are given of this broker."""
    return client_settings(Settings(bus="kafka", kafka_bootstrap_servers=(address,)))


def create(
    address: str, *topics: str, partitions: int = 3, config: Mapping[str, str] | None = None
) -> None:
    """Create these topics. Raises ``KafkaException``."""
    admin = AdminClient({"bootstrap.servers": address})
    made = admin.create_topics(
        [NewTopic(topic, partitions, 1, config=dict(config or {})) for topic in topics]
    )
    for future in made.values():
        future.result()
    end = time.monotonic() + PATIENCE
    while not {*topics} <= {*admin.list_topics(timeout=PATIENCE).topics}:
        assert time.monotonic() < end, "the broker does not show its new topics"
        time.sleep(0.01)


def configure(address: str, topics: Sequence[str], config: Mapping[str, str]) -> None:
    """Set this of these topics. Raises ``KafkaException``."""
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in config.items()
    ]
    resources = [
        ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
        for topic in topics
    ]
    admin = AdminClient({"bootstrap.servers": address})
    for future in admin.incremental_alter_configs(resources).values():
        future.result()


def committed(address: str, *topics: str, isolation: str = "read_committed") -> list[BusRecord]:
    """All records of these topics as a reader of what is committed sees them, by partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "a test",
            "isolation.level": isolation,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 10,
        }
    )
    there = consumer.list_topics(timeout=PATIENCE).topics
    places = [(topic, number) for topic in topics for number in there[topic].partitions]
    consumer.assign([TopicPartition(*place, 0) for place in places])
    found: list[BusRecord] = []
    while places:
        message = consumer.poll(PATIENCE)
        assert message is not None, f"no end of {places}"
        if (error := message.error()) is None:
            found.append(record_of(message))
        else:
            assert error.code() == KafkaError._PARTITION_EOF, error
            places.remove((message.topic() or "", message.partition() or 0))
    consumer.close()
    return sorted(found, key=lambda one: (one.topic, one.partition, one.offset))
