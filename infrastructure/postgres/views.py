"""One projection's views in PostgreSQL: a table of JSON documents, and a row for the checkpoint.

What the projection declares as detail stands in a column of its own, so that lists and sums never
read it. All work is set-wise: a batch is loaded by one statement and written by one.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Generic, LiteralString

from psycopg import AsyncCursor
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from application.ports import CheckpointMoved, Seen, Sums, V
from application.projections.projection import Projection
from infrastructure.postgres.connections import Connection, Pool, connected


class Views(Generic[V]):
    """The :class:`~application.ports.Views` of one projection. ``prepare`` it once."""

    def __init__(self, pool: Pool, projection: Projection[V]) -> None:
        self._pool, self._projection = pool, projection
        self._name = projection.table

    async def prepare(self) -> None:
        """Create what is missing in the database; harmless when others do the same just now."""
        table = Identifier(self._name)
        async with connected(self._pool) as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext('headwater'))")
            await connection.execute(_CHECKPOINTS)
            await connection.execute(SQL(_TABLE).format(table=table))
            for field in self._projection.indexed:
                index = Identifier(f"{self._name}_{field}")
                await connection.execute(
                    SQL("CREATE INDEX IF NOT EXISTS {} ON {} (({}), key)").format(
                        index, table, _field(field)
                    )
                )

    async def checkpoint(self) -> int | None:
        async with connected(self._pool) as connection:
            found = await connection.execute(
                "SELECT position FROM projection_checkpoints WHERE name = %s", [self._name]
            )
            row = await found.fetchone()
        return row[0] if row else None

    async def load(self, keys: Collection[str]) -> Mapping[str, Seen[V]]:
        load = self._sql(
            "SELECT key, position, (view || detail)::text FROM {table} WHERE key = ANY(%s)"
        )
        async with connected(self._pool) as connection:
            found = await connection.execute(load, [list(keys)])
            rows = await found.fetchall()
        return {key: self._seen(position, view) for key, position, view in rows}

    async def save(
        self, changed: Mapping[str, Seen[V] | None], *, checkpoint: int, expected: int | None
    ) -> None:
        kept = {key: seen for key, seen in changed.items() if seen is not None}
        removed = [key for key, seen in changed.items() if seen is None]
        async with (
            connected(self._pool) as connection,
            connection.pipeline(),  # one way there and back for all of it
            connection.transaction(),
        ):
            moved = await self._move(connection, checkpoint, expected)
            if kept:
                await connection.execute(self._sql(_WRITE), self._columns(kept))
            if removed:
                delete = self._sql("DELETE FROM {table} WHERE key = ANY(%s)")
                await connection.execute(delete, [removed])
            if await moved.fetchone() is None:
                raise CheckpointMoved(f"{self._name} is not at {expected} any more")

    async def find(
        self, *, equal: Mapping[str, str], after: str | None = None, limit: int = 50
    ) -> Sequence[tuple[str, Seen[V]]]:
        self._projection.require_indexed(equal)
        where: list[Composable] = [SQL("{} = %s").format(_field(field)) for field in equal]
        if after is not None:
            where.append(SQL("key > %s"))
        find = SQL("SELECT key, position, view::text FROM {} {} {} ORDER BY key LIMIT %s").format(
            Identifier(self._name), SQL("WHERE" if where else ""), SQL(" AND ").join(where)
        )
        values = [*equal.values(), *([] if after is None else [after]), limit]
        async with connected(self._pool) as connection:
            rows = await (await connection.execute(find, values)).fetchall()
        return [(key, self._seen(position, view)) for key, position, view in rows]

    async def sums(self, fields: Collection[str], *, by: str) -> Mapping[str, Sums]:
        self._projection.require_fields({*fields, by})
        columns = [_field(by), SQL("count(*)"), *(_sum(field) for field in fields)]
        sums = SQL("SELECT {} FROM {} GROUP BY 1").format(
            SQL(", ").join(columns), Identifier(self._name)
        )
        async with connected(self._pool) as connection:
            rows = await (await connection.execute(sums)).fetchall()
        return {
            value or "": Sums(count, dict(zip(fields, numbers, strict=True)))
            for value, count, *numbers in rows
        }

    async def clear(self) -> None:
        async with connected(self._pool) as connection, connection.transaction():
            await connection.execute(
                "DELETE FROM projection_checkpoints WHERE name = %s", [self._name]
            )
            await connection.execute(self._sql("TRUNCATE {table}"))

    async def _move(
        self, connection: Connection, checkpoint: int, expected: int | None
    ) -> AsyncCursor[tuple[Any, ...]]:
        """Compare and set: the answer has a row if the checkpoint was where it should be."""
        if expected is None:
            return await connection.execute(_FIRST, [self._name, checkpoint])
        return await connection.execute(_NEXT, [checkpoint, self._name, expected])

    def _columns(self, kept: Mapping[str, Seen[V]]) -> Sequence[Sequence[object]]:
        detail = set(self._projection.detail)
        views = [seen.view for seen in kept.values()]
        return (
            list(kept),
            [seen.position for seen in kept.values()],
            [view.model_dump_json(exclude=detail) for view in views],
            [view.model_dump_json(include=detail) if detail else "{}" for view in views],
        )

    def _seen(self, position: int, view: str) -> Seen[V]:
        return Seen(self._projection.view.model_validate_json(view), position)

    def _sql(self, statement: LiteralString) -> Composed:
        return SQL(statement).format(table=Identifier(self._name))


def _field(name: str) -> Composable:
    """A field of the view as text."""
    return SQL("(view ->> {})").format(Literal(name))


def _sum(field: str) -> Composable:
    """Of numbers, and of money, which is written ``2.55 GBP``."""
    return SQL("coalesce(sum(split_part({}, ' ', 1)::numeric), 0)").format(_field(field))


_CHECKPOINTS: Final = """
CREATE TABLE IF NOT EXISTS projection_checkpoints (name text PRIMARY KEY, position bigint NOT NULL)
"""

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS {table} (
    key text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL,
    view jsonb NOT NULL,
    detail jsonb NOT NULL
)
"""

_WRITE: Final = """
INSERT INTO {table} (key, position, view, detail)
SELECT key, position, view::jsonb, detail::jsonb
FROM unnest(%b::text[], %b::bigint[], %b::text[], %b::text[]) AS new (key, position, view, detail)
ON CONFLICT (key) DO UPDATE
SET position = excluded.position, view = excluded.view, detail = excluded.detail
"""

_FIRST: Final = """
INSERT INTO projection_checkpoints (name, position) VALUES (%s, %s)
ON CONFLICT DO NOTHING RETURNING position
"""

_NEXT: Final = """
UPDATE projection_checkpoints SET position = %s WHERE name = %s AND position = %s RETURNING position
"""
