"""Whether Kafka lets us in, asked once at the start: later a refusal is only one more retry."""

import asyncio
from time import monotonic
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from infrastructure.kafka.client import client_settings
from infrastructure.settings import InvalidSettings, Settings

_PATIENCE: Final = 3.0  # seconds: a broker that is slow is waited for later
_SLICE: Final = 0.1  # seconds


async def require_admission(settings: Settings) -> None:
    """Raises :class:`InvalidSettings` if the brokers refuse us, or we do not trust them.

    Brokers that do not answer are left to those who need them: they try again.
    """
    error = await asyncio.to_thread(_first_error, settings)
    if error is not None and (reason := _meaning(settings, error)):
        raise InvalidSettings(reason)


def _first_error(settings: Settings) -> KafkaError | None:
    """What the client reports first; nothing, if a broker answers, or within the patience."""
    errors: list[KafkaError] = []
    configuration: dict[str, Any] = {**client_settings(settings), "error_cb": errors.append}
    client = AdminClient(configuration)
    deadline = monotonic() + _PATIENCE
    while not errors and monotonic() < deadline:
        try:
            client.list_topics(timeout=_SLICE)
        except KafkaException:
            client.poll(0)  # calls error_cb
        else:
            return None
    return errors[0] if errors else None


def _meaning(settings: Settings, error: KafkaError) -> str | None:
    name, said = settings.name_of, " ".join(error.str().split())
    match error.code():
        case KafkaError._AUTHENTICATION:
            return (
                f"{name('kafka_password')}: Kafka refuses the user {settings.kafka_username!r} "
                f"({said}): set {name('kafka_username')}, this and {name('kafka_sasl_mechanism')} "
                "to those of a user that it knows"
            )
        case KafkaError._SSL:
            return (
                f"{name('kafka_ca_file')}: the brokers cannot be trusted ({said}): set it to the "
                f"certificate of the authority that signs theirs, and "
                f"{name('kafka_bootstrap_servers')} to hosts that they name"
            )
        case _ if "PLAINTEXT broker" in said:
            return (
                f"{name('kafka_security_protocol')}: the brokers do not speak TLS there ({said}): "
                "set it to plaintext or sasl_plaintext, or name a port where they do"
            )
    return None
