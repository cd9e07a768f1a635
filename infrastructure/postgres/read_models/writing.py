"""Writing a batch, in one statement: the checkpoint, and views and parts if it could be moved."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, LiteralString

from psycopg.sql import SQL, Identifier

from application.ports import Changed, Removed, Seen, V
from application.projections.projection import Projection
from infrastructure.postgres.coordination.checkpoints import ExpectedCheckpoint, moving

Columns = Sequence[Sequence[object] | None]
Step = tuple[str, Sequence[object]]
"""A statement and its values."""


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
    steps = [
        *_writes(table, projection, _kept(changed)),
        *_removes(table, changed),
        *_part_writes(parts_table, _kept(parts)),
        *_removes(parts_table, parts),
    ]
    statement = f"WITH moved AS ({move})" + "".join(
        f", step_{number} AS ({step})" for number, (step, _) in enumerate(steps)
    )
    return (
        (statement + " SELECT position FROM moved").encode(),
        [*values, *(value for _, given in steps for value in given)],
    )


def _writes(table: str, projection: Projection[V], kept: Mapping[str, Seen[V]]) -> Iterator[Step]:
    same = {key for key, seen in kept.items() if _has_same_detail(projection, seen)}
    whole = {key: seen for key, seen in kept.items() if key not in same}
    if whole:
        yield _of(table, _WRITE), (*_columns(projection, whole), _details(projection, whole))
    if same:
        changed = {key: kept[key] for key in kept if key in same}
        yield _of(table, _WRITE_BUT_DETAIL), _columns(projection, changed)


def _has_same_detail(projection: Projection[V], seen: Seen[V]) -> bool:
    """Whether the store has its detail, which is large, already."""
    view, before = seen.view, seen.before
    return before is not None and all(
        getattr(view, field) is getattr(before, field) for field in projection.detail
    )


def _part_writes(table: str, kept: Mapping[str, Seen[Any]]) -> Iterator[Step]:
    if kept:
        yield _of(table, _WRITE_PARTS), _part_columns(kept)


def _removes(table: str, changed: Changed[Any]) -> Iterator[Step]:
    if removed := [key for key, seen in changed.items() if isinstance(seen, Removed)]:
        yield _of(table, _REMOVE), [removed]


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
        [" ".join(projection.words(view)) for view in views] if projection.searched else None,
    )


def _details(projection: Projection[V], kept: Mapping[str, Seen[V]]) -> Sequence[str] | None:
    detail = set(projection.detail)
    return [seen.view.model_dump_json(include=detail) for seen in kept.values()] if detail else None


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
    AS new (key, position, view, words, detail)
WHERE EXISTS (SELECT FROM moved)
ON CONFLICT (key) DO UPDATE
SET position = excluded.position, view = excluded.view, detail = excluded.detail,
    words = excluded.words
"""

_WRITE_BUT_DETAIL: Final = """
UPDATE {table} AS old
SET position = new.position, view = new.view::jsonb,
    words = coalesce(array_to_tsvector(string_to_array(new.words, ' ')), '')
FROM unnest(%b::text[], %b::bigint[], %b::text[], %b::text[]) AS new (key, position, view, words)
WHERE old.key = new.key AND EXISTS (SELECT FROM moved)
"""

_WRITE_PARTS: Final = """
INSERT INTO {table} (key, position, part)
SELECT key, position, part::jsonb
FROM unnest(%b::text[], %b::bigint[], %b::text[]) AS new (key, position, part)
WHERE EXISTS (SELECT FROM moved)
ON CONFLICT (key) DO UPDATE SET position = excluded.position, part = excluded.part
"""
