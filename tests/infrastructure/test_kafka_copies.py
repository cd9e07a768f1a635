"""What Kafka keeps of a service is searched to the end: also what no reader of it is shown."""

import asyncio
from uuid import uuid4

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from infrastructure.kafka import Copies
from tests.kafka_topics import create, putting, settings


@pytest.fixture
def prefix(kafka: str) -> str:
    """Of topics that only this test has; one of events, with a partition, and that of positions."""
    prefix = f"{uuid4()}."
    create(kafka, f"{prefix}bank.transfer", f"{prefix}bank-forwarder", partitions=1)
    return prefix


async def shown(copies: Copies) -> list[tuple[str, bytes]]:
    return [(one.where, part) async for one in copies.kept() for part in one.parts]


async def test_every_part_of_a_record_is_shown(kafka: str, prefix: str) -> None:
    """Key, value, and the names and values of headers; also of the topic of positions."""
    topics = (f"{prefix}bank.transfer", f"{prefix}bank-forwarder")
    async with putting(kafka) as put:
        await put(topics[0], b"key", b"value", [("name", b"header"), ("empty", None)])
        await put(topics[1], b"position", None, ())

    found = await shown(Copies(settings(kafka), "bank", ["bank.transfer"], prefix))

    record, position = (f"record {topic}/0@0" for topic in topics)
    parts = (b"key", b"value", b"name", b"header", b"empty")
    assert sorted(found) == sorted([*((record, part) for part in parts), (position, b"position")])


async def test_what_was_aborted_is_shown(kafka: str, prefix: str) -> None:
    """It stands in the topic: readers of what is not committed see it."""
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": prefix, "log_level": 0})

    def abort() -> None:
        producer.init_transactions(30)
        producer.begin_transaction()
        producer.produce(f"{prefix}bank.transfer", b"aborted")
        producer.flush(30)
        producer.abort_transaction(30)

    await asyncio.to_thread(abort)

    (found,) = await shown(Copies(settings(kafka), "bank", ["bank.transfer"], prefix))
    assert found[1] == b"aborted"


async def test_what_was_removed_is_told(kafka: str, prefix: str) -> None:
    """By its topic: it cannot be searched there any more. What is left is shown."""
    topic, admin = f"{prefix}bank.transfer", AdminClient({"bootstrap.servers": kafka})
    copies = Copies(settings(kafka), "bank", ["bank.transfer"], prefix)
    async with putting(kafka) as put:
        for value in (b"old", b"new"):
            await put(topic, None, value, ())
    assert topic not in " ".join(await copies.beyond())
    for removed in admin.delete_records([TopicPartition(topic, 0, 1)]).values():
        await asyncio.to_thread(removed.result, 30)

    assert await shown(copies) == [(f"record {topic}/0@1", b"new")]
    assert f"the oldest records of {topic}, which were removed there" in await copies.beyond()
