"""A message of Kafka's client as a record."""

from collections.abc import Sequence
from datetime import UTC, datetime

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from application.ports import BusRecord


def record_of(message: Message) -> BusRecord:
    """All of it, with its headers in their order."""
    kind, milliseconds = message.timestamp()
    written = None
    if kind != TIMESTAMP_NOT_AVAILABLE:
        written = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return BusRecord(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        _bytes(message.key()),
        _bytes(message.value()),
        tuple((name, _bytes(value)) for name, value in _headers(message)),
        written,
    )


def _headers(message: Message) -> Sequence[tuple[str, str | bytes | None]]:
    found = message.headers() or ()
    return [*found.items()] if isinstance(found, dict) else found


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
