"""Rows of the table of events, and the events that they hold."""

from collections.abc import Sequence
from typing import Any, Final

from application.messages import RecordedEvent

Row = Sequence[Any]

COLUMNS: Final = """
event_id, event_type, event_data::text, metadata::text, stream_id, version, global_position,
created_at
"""


def recorded(row: Row) -> RecordedEvent:
    """The event in a row of :data:`COLUMNS`; what follows them is of no interest."""
    id, type, data, metadata, stream, version, position, created_at, *_ = row
    return RecordedEvent(
        id, type, data.encode(), metadata.encode(), stream, version, position, created_at
    )
