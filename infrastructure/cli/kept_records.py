"""A record of another party as ``headwater parked show`` prints it."""

from base64 import b64encode
from typing import Any, Final

from application.receiving.events import RecordKept

LONGEST: Final = 2_000
"""Characters of a value that are printed; as JSON all of it is."""


def readable(record: RecordKept) -> dict[str, Any]:
    """Where it stands, and what is in it: as text, or as base64 where it is not UTF-8."""
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "written": record.timestamp.isoformat() if record.timestamp else None,
        "key": _text(record.key),
        "headers": [f"{name}: {_text(value)}" for name, value in record.headers],
        "value": _text(record.value),
    }


def shortened(value: Any) -> Any:
    """A text that is too long for a terminal, with the number of its characters."""
    if not isinstance(value, str) or len(value) <= LONGEST:
        return value
    return f"{value[:LONGEST]}… ({len(value):,} characters; --json prints all)"


def _text(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    printable = text.isprintable() or text.replace("\n", "").replace("\t", "").isprintable()
    return text if printable else f"base64:{b64encode(value).decode()}"
