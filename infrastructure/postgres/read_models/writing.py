"""Writing views and parts, all of a batch in one statement."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, LiteralString

from psycopg.sql import SQL, Identifier

from application.ports import Changed, Seen, V
from application.projections.projection import Projection
from infrastructure.postgres.connections import Connection

Columns = Sequence[Sequence[object] | None]


async def write_views(
    connection: Connection,
    table: str,
    projection: Projection[V],
    changed: Changed[V],
) -> None:
    """Write these views, and remove those that are :class:`Removed`."""
    kept = _kept(changed)
    await _replace(connection, table, changed.keys() - kept, _WRITE, _columns(projection, kept))


async def write_parts(connection: Connection, table: str, changed: Changed[Any]) -> None:
    """The same for parts."""
    kept = _kept(changed)
    await _replace(connection, table, changed.keys() - kept, _WRITE_PARTS, _part_columns(kept))


async def _replace(
    connection: Connection,
    table: str,
    removed: Collection[str],
    write: LiteralString,
    columns: Columns,
) -> None:
    if columns[0]:
        await connection.execute(SQL(write).format(table=Identifier(table)), columns)
    if removed:
        delete = SQL("DELETE FROM {} WHERE key = ANY(%s)").format(Identifier(table))
        await connection.execute(delete, [list(removed)])


def _kept(changed: Changed[V]) -> Mapping[str, Seen[V]]:
    return {key: seen for key, seen in changed.items() if isinstance(seen, Seen)}


def _columns(projection: Projection[V], kept: Mapping[str, Seen[V]]) -> Columns:
    """One list for each column; none for what the projection does not declare."""
    detail = set(projection.detail)
    views = [seen.view for seen in kept.values()]
    return (
        list(kept),
        [seen.position for seen in kept.values()],
        [view.model_dump_json(exclude=detail) for view in views],
        [view.model_dump_json(include=detail) for view in views] if detail else None,
        [" ".join(projection.words(view)) for view in views] if projection.searched else None,
    )


def _part_columns(kept: Mapping[str, Seen[Any]]) -> Columns:
    return (
        list(kept),
        [seen.position for seen in kept.values()],
        [seen.view.model_dump_json() for seen in kept.values()],
    )


_WRITE: Final = """
INSERT INTO {table} (key, position, view, detail, words)
SELECT key, position, view::jsonb, coalesce(detail, '{{}}')::jsonb,
    coalesce(array_to_tsvector(string_to_array(words, ' ')), '')
FROM unnest(%b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[])
    AS new (key, position, view, detail, words)
ON CONFLICT (key) DO UPDATE
SET position = excluded.position, view = excluded.view, detail = excluded.detail,
    words = excluded.words
"""

_WRITE_PARTS: Final = """
INSERT INTO {table} (key, position, part)
SELECT key, position, part::jsonb
FROM unnest(%b::text[], %b::bigint[], %b::text[]) AS new (key, position, part)
ON CONFLICT (key) DO UPDATE SET position = excluded.position, part = excluded.part
"""
