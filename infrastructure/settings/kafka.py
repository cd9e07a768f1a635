"""How integration events are published and received by Kafka."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, SecretStr, model_validator

from infrastructure.settings.naming import NamedSettings
from infrastructure.settings.values import words

Bus = Literal["none", "kafka"]
SecurityProtocol = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


def _broker(text: str) -> str:
    if not re.fullmatch(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}", text):
        raise ValueError("write a name and a port: kafka.example.org:9092")
    return text


def _topic_prefix(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{0,100}", text):
        raise ValueError("use up to 100 letters, digits and _ . -")
    return text


Brokers = Annotated[tuple[Annotated[str, AfterValidator(_broker)], ...], BeforeValidator(words)]
"""``kafka.example.org:9092``, and more of them."""
TopicPrefix = Annotated[str, AfterValidator(_topic_prefix)]


class KafkaSettings(NamedSettings):
    """Integration events, and Kafka"""

    bus: Bus = "none"
    """Where integration events are published, and where those of others come from. With `none` the
    service does neither."""
    kafka_bootstrap_servers: Brokers = ()
    """The addresses of some of Kafka's brokers, separated by commas: `10.0.0.1:9092,10.0.0.2:9092`.
    For `{bus}=kafka`."""
    kafka_prefix: TopicPrefix = ""
    """What the names of all topics, transactions and consumer groups begin with in Kafka: `test.`
    makes `test.headwater.order`. Letters, digits and `_.-`."""
    kafka_security_protocol: SecurityProtocol = "plaintext"
    """How brokers are spoken to: `ssl` is TLS, and `sasl` authenticates by a password."""
    kafka_sasl_mechanism: SaslMechanism = "SCRAM-SHA-512"
    """How the password is proved."""
    kafka_username: str | None = None
    """The user of the service in Kafka."""
    kafka_password: SecretStr | None = None
    """The password of `{kafka_username}`."""
    kafka_ca_file: Path | None = None
    """The certificates, as PEM, one of which signs those of the brokers; unset: those of the
    system."""
    kafka_certificate_file: Path | None = None
    """The certificate of the service, as PEM, where brokers ask for one."""
    kafka_key_file: Path | None = None
    """The private key of `{kafka_certificate_file}`, as PEM."""

    @model_validator(mode="after")
    def _one_bus(self) -> Self:
        """Nothing is set that would do nothing, and nothing is missing."""
        name, protocol = self.name_of, self.kafka_security_protocol

        def require(field: str, value: Any, *, needed: bool, by: str) -> None:
            if needed and not value:
                raise ValueError(f"{name(field)}: {by} needs it: set both")
            if value and not needed:
                raise ValueError(f"{name(field)}: it is for {by}: set that too, or unset it")

        is_kafka = self.bus == "kafka"
        require(
            "kafka_bootstrap_servers",
            self.kafka_bootstrap_servers,
            needed=is_kafka,
            by=f"{name('bus')}=kafka",
        )
        sasl = f"{name('kafka_security_protocol')}=sasl_ssl (or sasl_plaintext)"
        for field in ("kafka_username", "kafka_password"):
            require(field, getattr(self, field), needed="sasl" in protocol, by=sasl)
        if "ssl" not in protocol:
            tls = f"{name('kafka_security_protocol')}=ssl (or sasl_ssl)"
            for field in ("kafka_ca_file", "kafka_certificate_file"):
                require(field, getattr(self, field), needed=False, by=tls)
        certificate = self.kafka_certificate_file
        require(
            "kafka_key_file",
            self.kafka_key_file,
            needed=certificate is not None,
            by=name("kafka_certificate_file"),
        )
        return self
