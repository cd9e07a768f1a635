"""Settings of Kafka."""

from pathlib import Path

import pytest

from infrastructure.kafka import client_settings
from infrastructure.settings import InvalidSettings, Settings
from infrastructure.settings.reading import parse
from tests.refused import refused


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("HEADWATER_BUS", "rabbitmq", "'none' or 'kafka'"),
        ("HEADWATER_KAFKA_BOOTSTRAP_SERVERS", "kafka", "kafka.example.org:9092"),
        ("HEADWATER_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092", "HEADWATER_BUS=kafka"),
        ("HEADWATER_KAFKA_PREFIX", "a b", "letters, digits and _ . -"),
        ("HEADWATER_KAFKA_PASSWORD", "hidden", "HEADWATER_KAFKA_SECURITY_PROTOCOL=sasl_ssl"),
        ("HEADWATER_KAFKA_CA_FILE", "ca.pem", "HEADWATER_KAFKA_SECURITY_PROTOCOL=ssl"),
        ("HEADWATER_KAFKA_KEY_FILE", "key.pem", "HEADWATER_KAFKA_CERTIFICATE_FILE"),
    ],
)
def test_a_bad_value_is_named_with_what_would_be_right(name: str, value: str, right: str) -> None:
    """The message names what would be right, or the setting that belongs to it."""
    assert right in refused(name, value)


def test_kafka_needs_brokers_and_a_user() -> None:
    """A bus without an address, and a login without a password, are refused."""
    kafka = {"HEADWATER_BUS": "kafka"}
    sasl = {
        **kafka,
        "HEADWATER_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092, [::1]:9093",
        "HEADWATER_KAFKA_SECURITY_PROTOCOL": "sasl_ssl",
        "HEADWATER_KAFKA_USERNAME": "reader",
    }
    with pytest.raises(InvalidSettings, match="HEADWATER_KAFKA_BOOTSTRAP_SERVERS: HEADWATER_BUS"):
        parse(Settings, kafka)
    with pytest.raises(InvalidSettings, match=r"HEADWATER_KAFKA_PASSWORD: .* needs it"):
        parse(Settings, sasl)
    found = parse(Settings, {**sasl, "HEADWATER_KAFKA_PASSWORD": "hidden"})
    assert found.kafka_bootstrap_servers == ("kafka:9092", "[::1]:9093")
    assert "hidden" not in repr(found)
    assert client_settings(found)["sasl.password"] == "hidden"


def test_a_certificate_of_kafka_is_there() -> None:
    """A file that is missing is named, with its setting."""
    ssl = Settings(
        bus="kafka",
        kafka_bootstrap_servers=("kafka:9092",),
        kafka_security_protocol="ssl",
        kafka_ca_file=Path("nowhere.pem"),
    )
    with pytest.raises(InvalidSettings, match=r"HEADWATER_KAFKA_CA_FILE: .*nowhere\.pem"):
        client_settings(ssl)
