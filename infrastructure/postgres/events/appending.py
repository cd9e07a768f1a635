"""Appends in PostgreSQL: many in one statement, each atomic."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

from application.messages import NewEvent
from application.ports import Appended, WrongExpectedVersion
from infrastructure.postgres.pools import Connection


@dataclass(frozen=True)
class Append:
    """What one caller wants to be appended."""

    stream: str
    expected: int
    ids: Sequence[UUID]
    types: Collection[str]
    rows: Sequence[tuple[object, ...]]

    @classmethod
    def of(cls, stream: str, events: Sequence[NewEvent], expected: int) -> Self:
        """``ValueError`` for a name without a category, text that is not UTF-8, or an id twice."""
        category, dash, _ = stream.partition("-")
        if not (category and dash):
            raise ValueError(f"a stream is named <category>-<id>, not {stream!r}")
        ids = [event.id for event in events]
        if len(set(ids)) < len(ids):
            raise ValueError(f"two of the events for {stream} have the same id")
        for text in (stream, *(event.type for event in events)):
            text.encode()
        rows = [
            (
                stream,
                expected,
                len(events),
                version,
                event.id,
                event.type,
                event.metadata.schema_version,
                event.data.decode(),
                event.metadata.to_json().decode(),
            )
            for version, event in enumerate(events, expected + 1)
        ]
        return cls(stream, expected, ids, {event.type for event in events}, rows)


Answer = Appended | Exception


async def append(connection: Connection, appends: Sequence[Append]) -> Sequence[Answer | None]:
    """Append them in one statement, each to another stream; returns the result of each.

    ``None``: nothing was added, although the stream has the expected version. Raises psycopg's
    errors, and then nothing was written: an append with a taken id or invalid JSON fails all.
    """
    rows = _rows(appends)
    if len(rows) == 1:  # a fifth faster so
        stream, expected, _, *values = rows[0]
        values = [stream, stream, *values, expected, stream]
        added = await connection.execute(_APPEND_ONE, values, prepare=True, binary=True)
    else:
        columns = [list(column) for column in zip(*rows, strict=True)]
        added = await connection.execute(_APPEND, columns, prepare=True, binary=True)
    answers: dict[str, Answer | None] = {
        stream: Appended(version, position)
        for stream, version, position, *_ in await added.fetchall()
    }
    left = [one for one in appends if one.stream not in answers]
    answers.update(zip([one.stream for one in left], await judged(connection, left), strict=True))
    return [answers[one.stream] for one in appends]


async def judged(connection: Connection, appends: Sequence[Append]) -> Sequence[Answer | None]:
    """The answers to appends that were not added; ``None`` as above."""
    if not appends:
        return []
    wanted = [
        [one.stream for one in appends],
        [one.expected for one in appends],
        [one.expected + len(one.ids) for one in appends],
    ]
    found = await connection.execute(_THERE, wanted, prepare=True, binary=True)
    there = {stream: found for stream, *found in await found.fetchall()}
    return [_judge(one, *there[one.stream]) for one in appends]


async def taken(connection: Connection, append: Append) -> ValueError:
    """The answer to an append that failed although its stream has the expected version."""
    found = await connection.execute(_TAKEN, [append.ids], prepare=True, binary=True)
    for id, stream in await found.fetchall():
        return ValueError(f"an event for {append.stream} has the id {id} of one in {stream}")
    return ValueError(f"the events for {append.stream} cannot stand beside those that are stored")


def _rows(appends: Sequence[Append]) -> Sequence[tuple[object, ...]]:
    """Streams in one order everywhere, which prevents deadlocks."""
    return [row for one in sorted(appends, key=lambda one: one.stream) for row in one.rows]


def _judge(
    one: Append, last: int, ids: Sequence[UUID] | None, position: int | None
) -> Answer | None:
    if ids == list(one.ids):
        assert position is not None  # there are some
        return Appended(one.expected + len(one.ids), position)
    return None if last == one.expected else WrongExpectedVersion(one.stream, one.expected, last)


_APPEND: Final = """
WITH new AS (
    SELECT * FROM unnest(
        %b::text[], %b::int[], %b::int[], %b::int[], %b::uuid[], %b::text[], %b::int[], %b::text[],
        %b::text[]
    ) AS of (stream, expected, wanted, version, id, type, schema_version, data, metadata)
), added AS (
    INSERT INTO events (
        stream_id, stream_type, version, event_id, event_type, schema_version, event_data, metadata
    )
    SELECT stream, split_part(stream, '-', 1), version, id, type, schema_version, data::jsonb,
        metadata::json
    FROM new
    WHERE expected = coalesce(
        (SELECT last.version FROM events AS last WHERE last.stream_id = new.stream
         ORDER BY last.version DESC LIMIT 1), -1)
    ORDER BY stream, version
    ON CONFLICT DO NOTHING
    RETURNING stream_id, version, global_position
)
SELECT stream_id, max(version), max(global_position),
    events_whole(count(*), (SELECT wanted FROM new WHERE stream = stream_id LIMIT 1))
FROM added
GROUP BY stream_id
"""

_APPEND_ONE: Final = """
INSERT INTO events (
    stream_id, stream_type, version, event_id, event_type, schema_version, event_data, metadata
)
SELECT %b, split_part(%b, '-', 1), %b::int, %b, %b, %b::int, %b::text::jsonb, %b::text::json
WHERE %b::int = coalesce(
    (SELECT last.version FROM events AS last WHERE last.stream_id = %b
     ORDER BY last.version DESC LIMIT 1), -1)
ON CONFLICT DO NOTHING
RETURNING stream_id, version, global_position
"""

_THERE: Final = """
SELECT stream,
    coalesce((SELECT version FROM events WHERE stream_id = stream
              ORDER BY version DESC LIMIT 1), -1),
    (SELECT array_agg(event_id ORDER BY version) FROM events
     WHERE stream_id = stream AND version > expected AND version <= until),
    (SELECT max(global_position) FROM events
     WHERE stream_id = stream AND version > expected AND version <= until)
FROM unnest(%b::text[], %b::int[], %b::int[]) AS wanted (stream, expected, until)
"""

_TAKEN: Final = "SELECT event_id, stream_id FROM events WHERE event_id = ANY(%b::uuid[]) LIMIT 1"
