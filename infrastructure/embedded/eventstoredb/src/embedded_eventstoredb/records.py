"""The records of the log, and the state of a stream."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from operator import itemgetter
from random import getrandbits
from typing import Final, NamedTuple

MAX_VERSION: Final = 2**63 - 1
"""A tombstone's version, and the ``$tb`` of a soft-deleted stream."""

_LIMITS: Final = {
    "$maxCount": range(1, MAX_VERSION + 1),
    "$maxAge": range(1, 922_337_203_685 + 1),  # seconds; the server's time spans are not longer
    "$cacheControl": range(
        1, 922_337_203_685 + 1
    ),  # not a limit, but an invalid value makes all of them void
    "$tb": range(MAX_VERSION + 1),
}
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_UUID_MASK: Final = 0xF << 76 | 0x3 << 62
_UUID_4: Final = 0x4 << 76 | 0x2 << 62


def _new_id() -> bytes:
    """A random UUID (version 4), as bytes. Each event has several links: ``uuid4`` is too slow."""
    number = getrandbits(128) & ~_UUID_MASK | _UUID_4
    return number.to_bytes(16, "big")


def id_text(record_id: bytes) -> str:
    """An id as the text of a UUID, as ``str(UUID(bytes=record_id))``, in a quarter of the time."""
    digits = record_id.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to append. ``is_json`` is its content type: application/json or octet-stream."""

    type: str
    data: bytes = b""
    metadata: bytes = b""
    is_json: bool = False
    id: bytes = field(default_factory=_new_id)


class Record(NamedTuple):
    """One record of the log. ``created`` counts 100 ns ticks since the Unix epoch."""

    position: int
    stream: str
    version: int
    id: bytes
    type: str
    is_json: int
    created: int
    metadata: bytes
    data: bytes


_data_of = itemgetter(Record._fields.index("data"))
_metadata_of = itemgetter(Record._fields.index("metadata"))


def payload(records: Sequence[Record]) -> int:
    """The bytes of their data and metadata, without a loop in Python: it runs for each page."""
    return sum(map(len, map(_data_of, records))) + sum(map(len, map(_metadata_of, records)))


class Linkable(NamedTuple):
    """The part of a record that projections need. ``data`` is set for links and metadata only."""

    position: int
    stream: str
    version: int
    id: bytes
    type: str
    created: int
    data: bytes | None
    correlation_id: str | None


@dataclass(frozen=True, slots=True)
class Stream:
    """The state of a stream, with its limits. ``last_version`` is -1 before the first record."""

    key: int
    name: str
    last_version: int = -1
    max_count: int | None = None
    max_age: int | None = None
    truncate_before: int | None = None

    @property
    def tombstoned(self) -> bool:
        return self.last_version == MAX_VERSION

    @property
    def soft_deleted(self) -> bool:
        return self.truncate_before == MAX_VERSION


@dataclass(frozen=True, slots=True)
class Appended:
    """The versions of the first and last record of an append, and the position of the last one."""

    first_version: int
    last_version: int
    position: int


def compact(value: object) -> bytes:
    """JSON as the server writes it: without blanks, in UTF-8."""
    return _ENCODER.encode(value).encode(errors="replace")


def quoted(text: str) -> str:
    """A text in JSON as the server writes it: what ``compact`` makes of it, before the UTF-8."""
    return encode_basestring(text)


def parse_metadata(data: bytes) -> dict[str, int]:
    """The limits in a stream's metadata; malformed metadata has none."""
    try:
        metadata = json.loads(data)
    except ValueError:
        return {}
    if not isinstance(metadata, dict):
        return {}
    limits = {key: metadata[key] for key in _LIMITS if key in metadata}
    valid = all(type(value) is int and value in _LIMITS[key] for key, value in limits.items())
    return limits if valid else {}
