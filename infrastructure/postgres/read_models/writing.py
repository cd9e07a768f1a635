"""Writing a batch, in one statement: the checkpoint, and views and parts if it could be moved."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, LiteralString

from psycopg.sql import SQL, Identifier

from application.ports import Changed, Seen, V
from application.projections.projection import Projection
from infrastructure.postgres.coordination.checkpoints import ExpectedCheckpoint, moving

Columns = Sequence[Sequence[object] | None]


def writing(
    table: str,
    parts_table: str,
    projection: Projection[V],
    changed: Changed[V],
    parts: Changed[Any],
    place: tuple[ExpectedCheckpoint, int, int],
) -> tuple[bytes, Sequence[object]]:
    """A statement and its values. It has a row if the checkpoint was where it was expected.

    Else nothing is written. What is :class:`Removed` is deleted. ``place``: the checkpoint, its new
    position, and the number of events in between.
    """
    move, values = moving(*place)
    kept, kept_parts = _kept(changed), _kept(parts)
    steps = [
        *_steps(table, changed, kept, _WRITE, _columns(projection, kept) if kept else ()),
        *_steps(parts_table, parts, kept_parts, _WRITE_PARTS, _part_columns(kept_parts)),
    ]
    statement = f"WITH moved AS ({move})" + "".join(
        f", step_{number} AS ({step})" for number, (step, _) in enumerate(steps)
    )
    return (
        (statement + " SELECT position FROM moved").encode(),
        [*values, *(value for _, given in steps for value in given)],
    )


def _steps(
    table: str,
    changed: Changed[Any],
    kept: Mapping[str, Seen[Any]],
    write: LiteralString,
    columns: Columns,
) -> Iterator[tuple[str, Sequence[object]]]:
    if kept:
        yield _of(table, write), columns
    if removed := changed.keys() - kept:
        yield _of(table, _REMOVE), [list(removed)]


@cache
def _of(table: str, statement: LiteralString) -> str:
    return SQL(statement).format(table=Identifier(table)).as_string()


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


_REMOVE: Final = "DELETE FROM {table} WHERE key = ANY(%b) AND EXISTS (SELECT FROM moved)"
_WRITE: Final = """
INSERT INTO {table} (key, position, view, detail, words)
SELECT key, position, view::jsonb, coalesce(detail, '{{}}')::jsonb,
    coalesce(array_to_tsvector(string_to_array(words, ' ')), '')
FROM unnest(%b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[])
    AS new (key, position, view, detail, words)
WHERE EXISTS (SELECT FROM moved)
ON CONFLICT (key) DO UPDATE
SET position = excluded.position, view = excluded.view, detail = excluded.detail,
    words = excluded.words
"""

_WRITE_PARTS: Final = """
INSERT INTO {table} (key, position, part)
SELECT key, position, part::jsonb
FROM unnest(%b::text[], %b::bigint[], %b::text[]) AS new (key, position, part)
WHERE EXISTS (SELECT FROM moved)
ON CONFLICT (key) DO UPDATE SET position = excluded.position, part = excluded.part
"""
