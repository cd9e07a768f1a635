"""What is recorded of received records: those set aside, and those that led to no event.

Streams:

    incoming-<publisher>:<topic>:<key>    the records of one key that were set aside, in order
    incoming-<publisher>/<event id>       one event that was handled and led to no event of ours

A record whose event leads to events of ours is recognised by them, so nothing else is recorded.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID, uuid5

from pydantic import ConfigDict

from application.category import Category
from application.ports import BusRecord
from domain.decider import Decider, Event

_NAMESPACE: Final = UUID("0d5d1c62-0f2b-5c0e-9a34-6c1f0f4a7a51")
_READABLE: Final = re.compile(r"[\x21-\x7e]{1,64}")


class RecordKept(Event):
    """A record as the bus had it, which is handled when an operator has it replayed."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp: datetime | None

    @property
    def record(self) -> BusRecord:
        return BusRecord(
            self.topic,
            self.partition,
            self.offset,
            self.key,
            self.value,
            self.headers,
            self.timestamp,
        )


class NothingToDo(Event):
    """An event was handled, and a command that it led to had nothing to do."""

    source: str
    id: str
    type: str


def _evolve(_: None, __: Event) -> None:
    return None


def _decide(_: object, __: None) -> Sequence[Event]:
    return ()


INCOMING: Final = Category.of(
    "incoming", Decider(None, _evolve, _decide), (), RecordKept | NothingToDo
)


def kept(record: BusRecord) -> RecordKept:
    """That record, to be set aside."""
    return RecordKept(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers=tuple(record.headers),
        timestamp=record.timestamp,
    )


def stream_of(publisher: str, record: BusRecord) -> str:
    """Where records with its key are set aside. Without a key, it has a stream of its own."""
    if record.key is None:
        own = f"{record.topic}/{record.partition}@{record.offset}"
        return INCOMING.stream(f"{publisher}:{own}")
    return INCOMING.stream(f"{publisher}:{record.topic}:{_written(record.key)}")


def _written(key: bytes) -> str:
    """As text where it can be read, else its digest behind ``#``."""
    text = key.decode("ascii", errors="replace")
    if _READABLE.fullmatch(text) and not text.startswith("#"):
        return text
    return f"#{sha256(key).hexdigest()[:32]}"


def command_id(source: str, id: str) -> UUID:
    """Of the first command that follows from that event; the same when it comes again."""
    return uuid5(_NAMESPACE, f"{len(source)} {source} {id}")


def record_id(record: BusRecord) -> UUID:
    """The id of a record that cannot be read as an event: made of its place and its content."""
    content = sha256(repr((record.key, record.value, [*record.headers])).encode()).hexdigest()
    place = f"{record.topic}/{record.partition}@{record.offset} {record.timestamp} {content}"
    return uuid5(_NAMESPACE, place)
