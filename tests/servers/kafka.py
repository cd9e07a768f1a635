"""Kafka: a broker of one node, which is its own controller (KRaft)."""

import subprocess
from pathlib import Path
from typing import Final

from tests.servers.installing import install_jars, jars
from tests.servers.java import install_java, java
from tests.servers.server import LOCALHOST, Launch, Server, ServerFailed, free_ports

_NAME: Final = "kafka"
_JAVA: Final = 17
_CLUSTER: Final = "MkU3OEVBNTcwNTJENDM2Qg"
_PROPERTIES: Final = """process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={controller}
listeners=PLAINTEXT://{broker},CONTROLLER://{controller}
advertised.listeners=PLAINTEXT://{broker}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
num.partitions=3
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""


def _require() -> None:
    jars(_NAME)
    java(_JAVA)


def _install() -> None:
    install_java(_JAVA)
    install_jars(_NAME, ["org.apache.kafka:kafka_2.13:4.4.0"])


def _launch(directory: Path) -> Launch:
    broker, controller = (f"{LOCALHOST}:{port}" for port in free_ports(2))
    properties = directory / "broker.properties"
    properties.write_text(
        _PROPERTIES.format(broker=broker, controller=controller, data=directory / "data")
    )
    program, classes = java(_JAVA), ["-cp", jars(_NAME)]
    options = ["format", "--standalone", "-t", _CLUSTER, "-c", str(properties)]
    formatting = [program, "-XX:TieredStopAtLevel=1", *classes, "kafka.tools.StorageTool", *options]
    done = subprocess.run(formatting, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServerFailed(f"kafka cannot format its directory:\n{done.stdout}{done.stderr}")
    heap = ["-Xms64m", "-Xmx384m"]
    return Launch([program, *heap, *classes, "kafka.Kafka", str(properties)], broker)


def _is_ready(address: str) -> bool:
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    client = AdminClient({"bootstrap.servers": address, "log_level": 0})
    try:
        return bool(client.list_topics(timeout=2).brokers)
    except KafkaException:
        return False


KAFKA: Final = Server(_NAME, "KAFKA_BOOTSTRAP_SERVERS", _require, _install, _launch, _is_ready)
