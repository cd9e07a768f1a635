"""Each server of the tests does what it is there for, on this machine."""

import json
import subprocess
import urllib.request
from uuid import uuid4

import botocore.session
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from obstore.store import S3Store
from opensearchpy import OpenSearch

from tests.servers import S3, promtool, temporal_program
from tests.servers.prometheus import ALERTS
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


def test_s3_keeps_objects(s3: S3) -> None:
    """An object that was put is read back."""
    store = S3Store(
        s3.bucket(),
        endpoint=s3.endpoint,
        access_key_id=s3.key,
        secret_access_key=s3.secret,
        region=s3.region,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    store.put("name", b"content", mode="create")

    assert store.get("name").bytes() == b"content"


def test_opensearch_finds_documents(opensearch: str) -> None:
    """A document is found by a word in another case; an index is not made by writing to it."""
    with OpenSearch(opensearch, timeout=PATIENCE) as client:
        index = f"test-{uuid4().hex}"
        assert client.index(index=index, body={"name": "lantern"}, ignore=404)["status"] == 404
        client.indices.create(index=index)
        client.index(index=index, body={"name": "Heart of GLASS"}, refresh=True)

        found = client.search(index=index, body={"query": {"match": {"name": "glass"}}})

    assert found["hits"]["total"]["value"] == 1


def test_dynamodb_makes_tables(dynamodb: str) -> None:
    """A table that was created is listed."""
    client = botocore.session.get_session().create_client(
        "dynamodb",
        endpoint_url=dynamodb,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    name = f"test-{uuid4().hex}"
    client.create_table(  # type: ignore[attr-defined]  # botocore adds it later
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    assert name in client.list_tables()["TableNames"]  # type: ignore[attr-defined]  # as above


def test_temporal_has_a_namespace(temporal: str) -> None:
    """The namespace that clients use by default is there."""
    ask = [temporal_program(), "operator", "namespace", "list", f"--address={temporal}"]
    assert "default" in subprocess.run(ask, capture_output=True, text=True, check=True).stdout


def test_prometheus_loads_the_alerts(prometheus: str) -> None:
    """It has every rule of the page; ``promtool`` finds nothing wrong with any."""
    checked = subprocess.run(
        [promtool(), "check", "rules", str(ALERTS)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    with urllib.request.urlopen(f"{prometheus}/api/v1/rules") as answer:
        groups = json.load(answer)["data"]["groups"]
    loaded = [rule["name"] for group in groups for rule in group["rules"]]
    assert len(loaded) == ALERTS.read_text().count("alert:") > 0
