"""One projection's views in PostgreSQL: a table of JSON documents, and a row for the checkpoint.

What the projection declares as detail stands in a column of its own, so that lists and sums never
read it. All work is set-wise: a batch is loaded by one statement and written by one.
"""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, Generic, LiteralString

from psycopg import AsyncCursor
from psycopg.errors import UndefinedTable
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal, Placeholder

from application.ports import CheckpointMoved, Seen, Sums, V
from application.projections.builds import WHOLE, Build, Shard
from application.projections.projection import Projection
from application.projections.projection import words as words_of
from infrastructure.postgres.connections import Connection, Connections, connected
from infrastructure.postgres.migrating import LOCK
from infrastructure.postgres.read_models.tables import claim_table, is_ours, is_there, parts_of


class Views(Generic[V]):
    """The :class:`~application.ports.Views` of a build: of one shard to write, of all to read."""

    def __init__(
        self,
        pool: Connections,
        projection: Projection[V],
        build: Build | None = None,
        shards: Sequence[Shard] = (WHOLE,),
        moved: Callable[[], Awaitable[tuple[Projection[Any], Build]]] | None = None,
    ) -> None:
        """Of the first build of that projection, unless another is named.

        ``moved`` tells whom to ask instead when that build has been dropped meanwhile.
        """
        self._pool, self._projection, self._shards = pool, projection, shards
        self._moved = moved
        self._name = (build or Build(projection.name, projection.version)).table

    async def prepare(self) -> None:
        async with connected(self._pool) as connection, connection.transaction():
            await connection.execute(LOCK)
            for table, definition in ((self._name, _TABLE), (parts_of(self._name), _PARTS)):
                if not await is_ours(connection, table):
                    await connection.execute(SQL(definition).format(table=Identifier(table)))
                    await connection.execute(claim_table(table))
            for name, index in self._indexes():
                if not await is_there(connection, name):  # whoever does not own it may not ask to
                    await connection.execute(index)

    async def checkpoint(self) -> int | None:
        shards = [shard.index for shard in self._shards]
        async with connected(self._pool) as connection:
            found = await connection.execute(_WHERE, [self._name, shards])
            positions = [position for (position,) in await found.fetchall()]
        return min(positions) if len(positions) == len(shards) else None

    async def load(self, keys: Collection[str]) -> Mapping[str, Seen[V]]:
        load = "SELECT key, position, (view || detail)::text FROM {table} WHERE key = ANY(%s)"
        rows = await self._rows(lambda table: SQL(load).format(table=table), [list(keys)])
        return {key: self._seen(position, view) for key, position, view in rows}

    async def load_parts(self, keys: Collection[str]) -> Mapping[str, Seen[Any]]:
        assert self._projection.parts  # else nobody asks
        load = SQL("SELECT key, position, part::text FROM {} WHERE key = ANY(%s)").format(
            Identifier(parts_of(self._name))
        )
        rows = await self._rows(lambda _: load, [list(keys)])
        read = self._projection.parts.part.model_validate_json
        return {key: Seen(read(part), position) for key, position, part in rows}

    async def save(
        self,
        changed: Mapping[str, Seen[V] | None],
        *,
        parts: Mapping[str, Seen[Any] | None] = MappingProxyType({}),
        events: int = 0,
        checkpoint: int,
        expected: int | None,
    ) -> None:
        async with (
            connected(self._pool) as connection,
            connection.pipeline(),  # one way there and back for all of it
            connection.transaction(),
        ):
            moved = await self._move(connection, checkpoint, events, expected)
            await _replace(connection, self._name, changed, _WRITE, self._columns)
            await _replace(connection, parts_of(self._name), parts, _WRITE_PARTS, _part_columns)
            if await moved.fetchone() is None:
                raise CheckpointMoved(f"{self._name} is not at {expected} any more")

    async def find(
        self,
        *,
        equal: Mapping[str, str],
        by: str | None = None,
        after: str | None = None,
        until: str | None = None,
        limit: int = 50,
    ) -> Sequence[tuple[str, Seen[V]]]:
        where, values = self._matching(equal, by, until)
        order: Composable = SQL("key") if by is None else SQL("{}, key").format(_field(by))
        if after is not None:
            place = [after] if by is None else [await self._text(after, by), after]
            where.append(
                SQL("({}) > ({})").format(order, SQL(", ").join([Placeholder()] * len(place)))
            )
            values += place
        return await self._select(where, order, [*values, limit])

    async def count(
        self, *, equal: Mapping[str, str], by: str | None = None, until: str | None = None
    ) -> int:
        where, values = self._matching(equal, by, until)
        count = "SELECT count(*) FROM {} {}"
        rows = await self._rows(lambda table: SQL(count).format(table, _all(where)), values)
        return int(rows[0][0])

    async def search(
        self, words: str, *, after: tuple[Decimal, str] | None = None, limit: int = 50
    ) -> Sequence[tuple[str, Seen[V]]]:
        self._projection.require_search()
        rank = _number(self._projection.ranked or "")
        where: list[Composable] = []
        values: list[object] = []
        if wanted := sorted(words_of(words)):
            where.append(SQL("words @@ %s::tsquery"))
            values.append(" & ".join(f"'{word}':*" for word in wanted))
        if after is not None:
            where.append(SQL("(-{rank}, key) > (-%s::numeric, %s)").format(rank=rank))
            values += after
        return await self._select(where, SQL("-{}, key").format(rank), [*values, limit])

    async def sums(self, fields: Collection[str], *, by: str) -> Mapping[str, Sums]:
        self._projection.require_fields({*fields, by})
        columns = SQL(", ").join([_field(by), SQL("count(*)"), *(_sum(field) for field in fields)])
        rows = await self._rows(
            lambda table: SQL("SELECT {} FROM {} GROUP BY 1").format(columns, table), []
        )
        return {
            value or "": Sums(count, dict(zip(fields, numbers, strict=True)))
            for value, count, *numbers in rows
        }

    async def clear(self) -> None:
        tables = [self._name, parts_of(self._name)]
        async with connected(self._pool) as connection, connection.transaction():
            for table in tables:
                if await is_ours(connection, table):
                    await connection.execute(SQL("TRUNCATE {}").format(Identifier(table)))
            await connection.execute(
                "DELETE FROM projection_checkpoints WHERE build = %s", [self._name]
            )

    async def _move(
        self, connection: Connection, checkpoint: int, events: int, expected: int | None
    ) -> AsyncCursor[tuple[Any, ...]]:
        """Compare and set: the answer has a row if the checkpoint was where it should be."""
        (shard,) = self._shards
        at = [checkpoint, events, self._name, shard.index]
        if expected is None:
            return await connection.execute(_FIRST, at)
        return await connection.execute(_NEXT, [*at, expected])

    def _matching(
        self, equal: Mapping[str, str], by: str | None, until: str | None
    ) -> tuple[list[Composable], list[object]]:
        """Conditions, and the values that they compare with."""
        self._projection.require_indexed({*equal, *filter(None, [by])})
        where: list[Composable] = [SQL("{} = %s").format(_field(field)) for field in equal]
        values: list[object] = [*equal.values()]
        if by is not None:
            where.append(SQL("{} IS NOT NULL").format(_field(by)))
        if until is not None:
            where.append(SQL("{} <= %s").format(SQL("key") if by is None else _field(by)))
            values.append(until)
        return where, values

    async def _text(self, key: str, field: str) -> str | None:
        """A field of one view; ``None`` as well when it is not there."""
        text = SQL("SELECT {} FROM {} WHERE key = %s")
        rows = await self._rows(lambda table: text.format(_field(field), table), [key])
        return rows[0][0] if rows else None

    async def _select(
        self, where: Sequence[Composable], order: Composable, values: Sequence[object]
    ) -> Sequence[tuple[str, Seen[V]]]:
        select = "SELECT key, position, view::text FROM {} {} ORDER BY {} LIMIT %s"
        rows = await self._rows(lambda table: SQL(select).format(table, _all(where), order), values)
        return [(key, self._seen(position, view)) for key, position, view in rows]

    async def _rows(
        self, statement: Callable[[Identifier], Composed], values: Sequence[object]
    ) -> Sequence[tuple[Any, ...]]:
        """What a question of the table with the views finds."""
        try:
            async with connected(self._pool) as connection:
                found = await connection.execute(statement(Identifier(self._name)), values)
                return await found.fetchall()
        except UndefinedTable:
            if self._moved is None:
                raise
            self._projection, build = await self._moved()
            self._name, self._moved = build.table, None
            return await self._rows(statement, values)

    def _indexes(self) -> Iterator[tuple[str, Composed]]:
        table = Identifier(self._name)
        for field in self._projection.indexed:
            name = f"{self._name}_{field}"
            yield (
                name,
                SQL("CREATE INDEX {} ON {} ({}, key)").format(
                    Identifier(name), table, _field(field)
                ),
            )
        if self._projection.ranked is not None:
            rank = _number(self._projection.ranked)
            for what, index in (
                ("words", SQL("USING gin (words)")),
                ("rank", SQL("((-{}), key)").format(rank)),
            ):
                name = f"{self._name}_{what}"
                yield name, SQL("CREATE INDEX {} ON {} {}").format(Identifier(name), table, index)

    def _columns(self, kept: Mapping[str, Seen[V]]) -> Sequence[Sequence[object] | None]:
        """One list for each column; none for what the projection does not declare."""
        detail = set(self._projection.detail)
        views = [seen.view for seen in kept.values()]
        return (
            list(kept),
            [seen.position for seen in kept.values()],
            [view.model_dump_json(exclude=detail) for view in views],
            [view.model_dump_json(include=detail) for view in views] if detail else None,
            [" ".join(self._projection.words(view)) for view in views]
            if self._projection.searched
            else None,
        )

    def _seen(self, position: int, view: str) -> Seen[V]:
        return Seen(self._projection.view.model_validate_json(view), position)


async def _replace(
    connection: Connection,
    table: str,
    changed: Mapping[str, Seen[Any] | None],
    write: LiteralString,
    columns: Callable[[Mapping[str, Seen[Any]]], Sequence[Sequence[object] | None]],
) -> None:
    """Write and remove rows, each by one statement."""
    kept = {key: seen for key, seen in changed.items() if seen is not None}
    if kept:
        await connection.execute(SQL(write).format(table=Identifier(table)), columns(kept))
    if removed := [key for key in changed if key not in kept]:
        delete = SQL("DELETE FROM {} WHERE key = ANY(%s)").format(Identifier(table))
        await connection.execute(delete, [removed])


def _part_columns(kept: Mapping[str, Seen[Any]]) -> Sequence[Sequence[object]]:
    return (
        list(kept),
        [seen.position for seen in kept.values()],
        [seen.view.model_dump_json() for seen in kept.values()],
    )


def _all(where: Sequence[Composable]) -> Composable:
    return SQL("WHERE {}").format(SQL(" AND ").join(where)) if where else SQL("")


def _field(name: str) -> Composable:
    """A field of the view as text, in the order of its characters' numbers."""
    return SQL('((view ->> {}) COLLATE "C")').format(Literal(name))


def _number(field: str) -> Composable:
    """Of a number, and of money, which is written ``2.55 GBP``."""
    return SQL("split_part({}, ' ', 1)::numeric").format(_field(field))


def _sum(field: str) -> Composable:
    return SQL("coalesce(sum({}), 0)").format(_number(field))


_WHERE: Final = """
SELECT position FROM projection_checkpoints WHERE build = %s AND shard = ANY(%s)
"""

_TABLE: Final = """
CREATE TABLE {table} (
    key text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL,
    view jsonb NOT NULL,
    detail jsonb NOT NULL,
    words tsvector NOT NULL
)
"""

_PARTS: Final = """
CREATE TABLE {table} (
    key text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL,
    part jsonb NOT NULL
)
"""

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

_FIRST: Final = """
INSERT INTO projection_checkpoints (position, events, build, shard) VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING RETURNING position
"""

_NEXT: Final = """
UPDATE projection_checkpoints SET position = %s, events = events + %s
WHERE build = %s AND shard = %s AND position = %s RETURNING position
"""
