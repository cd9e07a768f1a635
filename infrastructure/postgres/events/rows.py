"""Rows of the table of events: filters, queries, and the events of rows."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from application.event_filter import EventFilter
from application.messages import Decoder, RecordedEvent
from infrastructure.postgres.connections import once_more
from infrastructure.postgres.pools import Connection, Pool

Row = Sequence[Any]

COLUMNS: Final = """
event_id, event_type, event_data::text, metadata::text, stream_id, version, global_position,
created_at, command_id, schema_version
"""

WANTED: Final = "event_type = ANY(%s) AND stream_type || '-' || event_type = ANY(%s)"
"""The events that a filter admits: an index finds the types, then the category is compared."""


def wanted(only: EventFilter) -> tuple[list[str], list[str]]:
    """The values of :data:`WANTED`."""
    return list(only.types), [f"{category}-{type}" for category, type in only.pairs]


def recorded(row: Row, decoder: Decoder) -> RecordedEvent:
    """The event in a row of :data:`COLUMNS`."""
    id, type, data, metadata, stream, version, position, at, command_id, schema_version = row
    return RecordedEvent(
        id,
        type,
        data.encode(),
        metadata.encode(),
        stream,
        version,
        position,
        at,
        decoder,
        command_id,
        schema_version,
    )


async def fetch(
    connection: Connection, question: str, values: Sequence[object] | Mapping[str, object] = ()
) -> Sequence[tuple[Any, ...]]:
    """All rows of the answer; none for a statement that has none. Raises psycopg's errors."""
    found = await connection.execute(question.encode(), values, prepare=True, binary=True)
    return await found.fetchall() if found.description else []


async def fetch_from(
    pool: Pool, question: str, values: Sequence[object] | Mapping[str, object] = ()
) -> Sequence[tuple[Any, ...]]:
    """The same, on a connection that works. Raises ``StoreUnavailable``."""

    async def ask(connection: Connection) -> Sequence[tuple[Any, ...]]:
        return await fetch(connection, question, values)

    return await once_more(pool, ask)
