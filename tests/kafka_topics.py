"""Topics on a broker for a test, and a way to put records there, as another party does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from application.ports.incoming import Headers

Put = Callable[[str, bytes | None, bytes | None, Headers], Awaitable[None]]


@asynccontextmanager
async def putting(address: str, *topics: str, partitions: int = 3) -> AsyncIterator[Put]:
    """Creates the topics; yields a function that returns once the broker has the record."""
    await asyncio.to_thread(create, address, *topics, partitions=partitions)
    producer = Producer({"bootstrap.servers": address, "partitioner": "murmur2_random"})

    async def put(topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        producer.produce(topic, value, key, headers=list(headers))
        await asyncio.to_thread(producer.flush)

    yield put


def create(address: str, *topics: str, partitions: int = 3) -> None:
    """Create these topics. Raises ``KafkaException``."""
    admin = AdminClient({"bootstrap.servers": address})
    made = admin.create_topics([NewTopic(topic, partitions, 1) for topic in topics])
    for future in made.values():
        future.result()
