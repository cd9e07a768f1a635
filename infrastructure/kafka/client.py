"""What every client of Kafka here is configured with: where the brokers are, and who we are."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from infrastructure.certificates import require_files
from infrastructure.settings import Settings

_FILES: Final = {
    "ssl.ca.location": "kafka_ca_file",
    "ssl.certificate.location": "kafka_certificate_file",
    "ssl.key.location": "kafka_key_file",
}
_SILENT: Final = logging.Logger("kafka")  # what is wrong is in the errors of the calls
_SILENT.addHandler(logging.NullHandler())


def client_settings(settings: Settings) -> Mapping[str, Any]:
    """For a producer, a consumer or an admin client of ``confluent_kafka``.

    Raises ``InvalidSettings`` for a file that is not there, or has no certificate or key.
    """
    found: dict[str, Any] = {
        "bootstrap.servers": ",".join(settings.kafka_bootstrap_servers),
        "security.protocol": settings.kafka_security_protocol,
        "client.id": "headwater",
        "log_level": 0,
        "logger": _SILENT,
    }
    if "sasl" in settings.kafka_security_protocol:
        assert settings.kafka_password is not None  # checked with the settings
        found["sasl.mechanism"] = settings.kafka_sasl_mechanism
        found["sasl.username"] = settings.kafka_username
        found["sasl.password"] = settings.kafka_password.get_secret_value()
    files = {name: getattr(settings, field) for name, field in _FILES.items()}
    for name, file in files.items():
        if file is not None:
            found[name] = str(file)
    require_files(settings, "kafka")
    return found
