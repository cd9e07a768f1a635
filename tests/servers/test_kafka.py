"""The Kafka of the tests does what it is there for."""

from uuid import uuid4

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infrastructure.settings import Settings
from infrastructure.settings.reading import parse
from tests.servers import KAFKA
from tests.waiting import PATIENCE


def test_kafka_carries_records(kafka: str) -> None:
    """A record that was acknowledged in a transaction is consumed."""
    topic = f"test-{uuid4().hex}"
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(topic, 1)])[topic].result(PATIENCE)
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": topic})
    producer.init_transactions(PATIENCE)
    producer.begin_transaction()
    producer.produce(topic, b"value", key=b"key", headers={"id": b"1"})
    producer.commit_transaction(PATIENCE)

    settings = {"bootstrap.servers": kafka, "group.id": topic, "auto.offset.reset": "earliest"}
    consumer = Consumer({**settings, "isolation.level": "read_committed"})
    consumer.subscribe([topic])
    record = consumer.poll(PATIENCE)
    consumer.close()

    assert record is not None
    assert (record.key(), record.value()) == (b"key", b"value")


def test_the_printed_settings_lead_a_service_there(kafka: str) -> None:
    """What ``make servers`` prints to export is accepted, and has the address."""
    printed = KAFKA.settings(kafka)
    parse(Settings, {name: value for name, value in printed.items() if "HEADWATER" in name})
    assert kafka in printed.values()
