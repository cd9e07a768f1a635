"""Kafka: a broker of one node, which is its own controller (KRaft)."""

import re
import subprocess
from pathlib import Path
from typing import Final

from tests.servers.certificates import Authority
from tests.servers.installing import install_jars, jars
from tests.servers.java import install_java, java
from tests.servers.server import LOCALHOST, Launch, NotHere, Server, ServerFailed, free_ports

_NAME: Final = "kafka"
_JAVA: Final = 17
_CLUSTER: Final = "MkU3OEVBNTcwNTJENDM2Qg"
_PROPERTIES: Final = """process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={controller}
listeners=PLAINTEXT://{broker},SASL_SSL://{secured},CONTROLLER://{controller}
advertised.listeners=PLAINTEXT://{broker},SASL_SSL://{secured}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL
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
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.ssl.keystore.type=PEM
listener.name.sasl_ssl.ssl.keystore.location={keystore}
listener.name.sasl_ssl.plain.sasl.jaas.config={modules}.plain.PlainLoginModule required \
  user_{user}="{password}";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={modules}.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={modules}.scram.ScramLoginModule required;
"""
_MODULES: Final = "org.apache.kafka.common.security"
_AUTHORITY: Final = "authority.pem"
USER, PASSWORD = "reader", "sesame@:/?#%, =&+"
"""Who may log in by SASL/PLAIN where the broker speaks TLS."""


def _require() -> None:
    jars(_NAME)
    java(_JAVA)


def _install() -> None:
    install_java(_JAVA)
    install_jars(_NAME, ["org.apache.kafka:kafka_2.13:4.4.0"])


def _launch(directory: Path) -> Launch:
    broker, secured, controller = (f"{LOCALHOST}:{port}" for port in free_ports(3))
    properties = directory / "broker.properties"
    properties.write_text(
        _PROPERTIES.format(
            broker=broker,
            secured=secured,
            controller=controller,
            data=directory / "data",
            keystore=_keystore(directory),
            modules=_MODULES,
            user=USER,
            password=PASSWORD,
        )
    )
    program, classes = java(_JAVA), ["-cp", jars(_NAME)]
    options = ["format", "--standalone", "-t", _CLUSTER, "-c", str(properties)]
    formatting = [program, "-XX:TieredStopAtLevel=1", *classes, "kafka.tools.StorageTool", *options]
    done = subprocess.run(formatting, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServerFailed(f"kafka cannot format its directory:\n{done.stdout}{done.stderr}")
    heap = ["-Xms64m", "-Xmx384m"]
    return Launch([program, *heap, *classes, "kafka.Kafka", str(properties)], broker)


def _keystore(directory: Path) -> Path:
    """A key with its certificate, and beside it the authority that has signed it."""
    authority = Authority(directory)
    authority.file.rename(directory / _AUTHORITY)
    issued = authority.issue(LOCALHOST)
    file = directory / "keystore.pem"
    file.write_bytes(issued.key.read_bytes() + issued.certificate.read_bytes())
    return file


def secured(address: str) -> tuple[str, Path]:
    """Where the broker at that address speaks TLS, and whom to trust there.

    Raises ``NotHere`` for a broker that was not started here.
    """
    from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its types hide one name
        AdminClient,
        ConfigResource,
    )

    broker = ConfigResource(ConfigResource.Type.BROKER, "1")
    client = AdminClient({"bootstrap.servers": address})
    values = client.describe_configs([broker])[broker].result()
    found = re.search(r"SASL_SSL://([^,]+)", values["advertised.listeners"].value)
    authority = Path(values["log.dirs"].value).with_name(_AUTHORITY)
    if found is None or not authority.is_file():
        raise NotHere("at that address has no TLS of the tests")
    return found[1], authority


def _is_ready(address: str) -> bool:
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    client = AdminClient({"bootstrap.servers": address, "log_level": 0})
    try:
        return bool(client.list_topics(timeout=2).brokers)
    except KafkaException:
        return False


def _settings(address: str) -> dict[str, str]:
    return {"HEADWATER_BUS": "kafka", "HEADWATER_KAFKA_BOOTSTRAP_SERVERS": address}


KAFKA: Final = Server(
    _NAME,
    "KAFKA_BOOTSTRAP_SERVERS",
    _require,
    _install,
    _launch,
    _is_ready,
    _settings,
    form="{}",
)
