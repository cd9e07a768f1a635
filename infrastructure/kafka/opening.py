"""Kafka as the settings name it. Nothing is connected before it is used."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from application.service import Service
from infrastructure.kafka.admission import require_admission
from infrastructure.kafka.bus import Bus
from infrastructure.kafka.client import client_settings
from infrastructure.kafka.copies import Copies
from infrastructure.kafka.incoming import IncomingRecords
from infrastructure.kafka.sending import Send, create_topic, sending
from infrastructure.settings import InvalidSettings, Settings

__all__ = ["bus", "copies", "incoming_records", "other_party", "require_admission"]


def bus(settings: Settings, service: Service[Any]) -> Bus:
    """The topics of the service.

    Raises :class:`InvalidSettings` for what the client cannot use: an unreadable certificate.
    """
    config = client_settings(settings)
    try:
        AdminClient(dict(config))
    except KafkaException as error:
        where, reason = settings.name_of("kafka_security_protocol"), error.args[0].str()
        raise InvalidSettings(f"{where}: Kafka's client refuses it: {reason}") from error
    return Bus(config, service.name, service.contract.topics, settings.kafka_prefix)


def copies(settings: Settings, service: Service[Any]) -> Copies | None:
    """What its topics keep; ``None`` for a service that publishes nothing. Connects to nothing."""
    if not service.publishes:
        return None
    topics = service.contract.topics
    return Copies(client_settings(settings), service.name, topics, settings.kafka_prefix)


def incoming_records(settings: Settings) -> IncomingRecords:
    """The topics of other parties. Connects to nothing yet."""
    return IncomingRecords(
        client_settings(settings),
        settings.kafka_prefix,
        setting=settings.name_of("kafka_bootstrap_servers"),
    )


@asynccontextmanager
async def other_party(
    settings: Settings, topics: Sequence[str]
) -> AsyncIterator[tuple[IncomingRecords, Send]]:
    """For a simulation of another party, which publishes to these topics: they are created.

    Raises ``BusUnavailable``.
    """
    client = client_settings(settings)
    for topic in topics:
        await create_topic(client, f"{settings.kafka_prefix}{topic}")
    async with sending(client, settings.kafka_prefix) as send:
        yield incoming_records(settings), send
