"""One projection's views in PostgreSQL: a table of JSON documents, and a row for the checkpoint.

A batch is loaded by one statement, and written by another.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from psycopg.sql import SQL, Identifier

from application.ports import Changed, Promise, Seen, V
from application.projections.builds import WHOLE, Build, Shard
from application.projections.projection import Projection
from infrastructure.postgres.connections import Connections, connected
from infrastructure.postgres.coordination.checkpoints import (
    ExpectedCheckpoint,
    forget,
    require_moved,
)
from infrastructure.postgres.migrating import LOCK
from infrastructure.postgres.read_models.answering import Answering
from infrastructure.postgres.read_models.reading import Reading
from infrastructure.postgres.read_models.tables import create_tables, is_ours, parts_of
from infrastructure.postgres.read_models.writing import writing


class Views(Reading[V]):
    """The ``Views`` of all shards of a build, and the ``WritableViews`` of one, in transactions."""

    promise: Final = Promise.TOGETHER

    def __init__(
        self,
        pool: Connections,
        projection: Projection[V],
        build: Build | None = None,
        shards: Sequence[Shard] = (WHOLE,),
        now: Callable[[], Awaitable[Answering]] | None = None,
        *,
        assumed: bool = False,
    ) -> None:
        """Of the first build of that projection, unless another is named; the rest as above."""
        build = build or Build(projection.name, projection.version)
        super().__init__(pool, Answering(projection, build, shards), now, assumed=assumed)

    async def prepare(self) -> None:
        async with connected(self._pool) as connection, connection.transaction():
            await connection.execute(LOCK)
            await create_tables(connection, self._name, self._projection)

    async def checkpoint(self) -> int | None:
        await self._settle()
        shards = [shard.index for shard in self._shards]
        async with connected(self._pool) as connection:
            found = await connection.execute(_WHERE, [self._name, shards])
            positions = [position for (position,) in await found.fetchall()]
        return min(positions) if len(positions) == len(shards) else None

    async def load_parts(self, keys: Collection[str]) -> Mapping[str, Seen[Any]]:
        await self._settle()
        assert self._projection.parts  # else there are none to load
        load = SQL("SELECT key, position, part::text FROM {} WHERE key = ANY(%s)").format(
            Identifier(parts_of(self._name))
        )
        rows = await self._rows(lambda _: load, [list(keys)], prepare=True)
        read = self._projection.parts.part.model_validate_json
        return {key: Seen(read(part), position) for key, position, part in rows}

    async def save(
        self,
        changed: Changed[V],
        *,
        parts: Changed[Any] = MappingProxyType({}),
        events: int = 0,
        checkpoint: int,
        expected: int | None,
    ) -> None:
        (shard,) = self._shards
        place = (ExpectedCheckpoint(self._name, shard.index, expected), checkpoint, events)
        statement, values = writing(
            self._name, parts_of(self._name), self._projection, changed, parts, place
        )
        async with connected(self._pool) as connection:
            moved = await connection.execute(statement, values, prepare=True)
            await require_moved(moved, self._name, expected)

    async def clear(self) -> None:
        tables = [self._name, parts_of(self._name)]
        async with connected(self._pool) as connection, connection.transaction():
            for table in tables:
                if await is_ours(connection, table):
                    await connection.execute(SQL("TRUNCATE {}").format(Identifier(table)))
            await forget(connection, self._name)


_WHERE: Final = """
SELECT position FROM projection_checkpoints WHERE build = %s AND shard = ANY(%s)
"""
