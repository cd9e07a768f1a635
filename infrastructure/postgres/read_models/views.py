"""One projection's views in PostgreSQL: a table of JSON documents, and a row for the checkpoint.

What the projection declares as detail stands in a column of its own, so that lists and sums never
read it. All work is set-wise: a batch is loaded by one statement and written by one.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, Generic

from psycopg.errors import UndefinedTable
from psycopg.sql import SQL, Composable, Composed, Identifier, Placeholder

from application.ports import NotBuilt, Seen, Sums, V
from application.projections.builds import WHOLE, Build, Shard
from application.projections.projection import Projection
from application.projections.projection import words as words_of
from infrastructure.postgres.connections import Connections, connected
from infrastructure.postgres.coordination.checkpoints import Place, forget, move, require_moved
from infrastructure.postgres.migrating import LOCK
from infrastructure.postgres.read_models.fields import field_of, number_of, sum_of, where_all
from infrastructure.postgres.read_models.tables import create_tables, is_ours, parts_of
from infrastructure.postgres.read_models.writing import write_parts, write_views


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
            await create_tables(connection, self._name, self._projection)

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
        (shard,) = self._shards
        async with (
            connected(self._pool) as connection,
            connection.pipeline(),  # one way there and back for all of it
            connection.transaction(),
        ):
            at = Place(self._name, shard.index, expected)
            moved = await move(connection, at, checkpoint, events)
            await write_views(connection, self._name, self._projection, changed)
            await write_parts(connection, parts_of(self._name), parts)
            await require_moved(moved, self._name, expected)

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
        order: Composable = SQL("key") if by is None else SQL("{}, key").format(field_of(by))
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
        rows = await self._rows(lambda table: SQL(count).format(table, where_all(where)), values)
        return int(rows[0][0])

    async def search(
        self, words: str, *, after: tuple[Decimal, str] | None = None, limit: int = 50
    ) -> Sequence[tuple[str, Seen[V]]]:
        self._projection.require_search()
        rank = number_of(self._projection.ranked or "")
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
        columns = SQL(", ").join(
            [field_of(by), SQL("count(*)"), *(sum_of(field) for field in fields)]
        )
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
            await forget(connection, self._name)

    def _matching(
        self, equal: Mapping[str, str], by: str | None, until: str | None
    ) -> tuple[list[Composable], list[object]]:
        """Conditions, and the values that they compare with."""
        self._projection.require_indexed({*equal, *filter(None, [by])})
        where: list[Composable] = [SQL("{} = %s").format(field_of(field)) for field in equal]
        values: list[object] = [*equal.values()]
        if by is not None:
            where.append(SQL("{} IS NOT NULL").format(field_of(by)))
        if until is not None:
            where.append(SQL("{} <= %s").format(SQL("key") if by is None else field_of(by)))
            values.append(until)
        return where, values

    async def _text(self, key: str, field: str) -> str | None:
        """A field of one view; ``None`` as well when it is not there."""
        text = SQL("SELECT {} FROM {} WHERE key = %s")
        rows = await self._rows(lambda table: text.format(field_of(field), table), [key])
        return rows[0][0] if rows else None

    async def _select(
        self, where: Sequence[Composable], order: Composable, values: Sequence[object]
    ) -> Sequence[tuple[str, Seen[V]]]:
        select = "SELECT key, position, view::text FROM {} {} ORDER BY {} LIMIT %s"
        rows = await self._rows(
            lambda table: SQL(select).format(table, where_all(where), order), values
        )
        return [(key, self._seen(position, view)) for key, position, view in rows]

    async def _rows(
        self, statement: Callable[[Identifier], Composed], values: Sequence[object]
    ) -> Sequence[tuple[Any, ...]]:
        """What a question of the table with the views finds."""
        try:
            async with connected(self._pool) as connection:
                found = await connection.execute(statement(Identifier(self._name)), values)
                return await found.fetchall()
        except UndefinedTable as error:
            if self._moved is None:
                raise NotBuilt(
                    f"{self._name} has no table yet: whoever fills it makes it"
                ) from error
            self._projection, build = await self._moved()
            self._name, self._moved = build.table, None
            return await self._rows(statement, values)

    def _seen(self, position: int, view: str) -> Seen[V]:
        return Seen(self._projection.view.model_validate_json(view), position)


_WHERE: Final = """
SELECT position FROM projection_checkpoints WHERE build = %s AND shard = ANY(%s)
"""
