"""Reading views in PostgreSQL: by key, by fields, by words, and in sums; each is one statement.

What the projection declares as detail stands in a column of its own: lists and sums never read it.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Generic

from psycopg.errors import UndefinedTable
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal, Placeholder

from application.ports import NotBuilt, Seen, Sums, Total, V
from application.projections.words import words as words_of
from infrastructure.postgres.connections import Connections, connected
from infrastructure.postgres.read_models.answering import Answering
from infrastructure.postgres.read_models.fields import field_of, number_of, sum_of, where_all


class Reading(Generic[V]):
    """All that queries ask of the views of one build, but for how far it has come."""

    def __init__(
        self,
        pool: Connections,
        reads: Answering,
        now: Callable[[], Awaitable[Answering]] | None = None,
        *,
        assumed: bool = False,
    ) -> None:
        """``now`` finds what to read instead when that build has been dropped meanwhile.

        ``assumed``: it was live before, and whether it still is has to be found out.
        """
        self._pool, self._now, self._assumed = pool, now, assumed
        self._read(reads)

    async def load(self, keys: Collection[str]) -> Mapping[str, Seen[V]]:
        if self._assumed and (found := await self._load_if_live(keys)) is not None:
            return found
        rows = await self._rows(
            lambda table: SQL(_LOAD).format(table=table), [list(keys)], prepare=True
        )
        return {key: self._seen(position, view) for key, position, view in rows}

    async def _load_if_live(self, keys: Collection[str]) -> Mapping[str, Seen[V]] | None:
        """The same in one statement with the check, where the build is still live."""
        rows = await self._rows(
            lambda table: SQL(_LOAD_IF_LIVE).format(table=table, build=Literal(self._name)),
            [list(keys)],
            prepare=True,
        )
        if not rows:
            await self._settle()
            return None
        self._assumed = False
        return {key: self._seen(position, view) for key, position, view in rows if key is not None}

    async def _settle(self) -> None:
        """From here on, read the build that answers now, if that was only assumed."""
        if self._assumed and self._now:
            self._read(await self._now())
            self._assumed = False

    def _read(self, reads: Answering) -> None:
        self._projection, self._shards = reads.projection, reads.shards
        self._name = reads.build.table

    async def find(
        self,
        *,
        equal: Mapping[str, str],
        by: str | None = None,
        since: str | None = None,
        until: str | None = None,
        after: str | None = None,
        descending: bool = False,
        limit: int = 50,
    ) -> Sequence[tuple[str, Seen[V]]]:
        await self._settle()
        where, values = self._matching(equal, by, since, until)
        columns = [SQL("key")] if by is None else [field_of(by), SQL("key")]
        if after is not None:
            place = [after] if by is None else [await self._text(after, by), after]
            behind = SQL("({}) < ({})" if descending else "({}) > ({})")
            where.append(
                behind.format(SQL(", ").join(columns), SQL(", ").join([Placeholder()] * len(place)))
            )
            values += place
        direction = SQL("{} DESC" if descending else "{}")
        order = SQL(", ").join([direction.format(column) for column in columns])
        return await self._select(where, order, [*values, limit])

    async def count(
        self,
        *,
        equal: Mapping[str, str],
        by: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> int:
        await self._settle()
        where, values = self._matching(equal, by, since, until)
        count = "SELECT count(*) FROM {} {}"
        rows = await self._rows(lambda table: SQL(count).format(table, where_all(where)), values)
        return int(rows[0][0])

    async def total(self, **wanted: Any) -> Total:
        return Total(await self.count(**wanted))

    async def search(
        self, words: str, *, after: tuple[Decimal, str] | None = None, limit: int = 50
    ) -> Sequence[tuple[str, Seen[V]]]:
        await self._settle()
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

    async def sums(
        self,
        fields: Collection[str],
        *,
        by: str,
        equal: Mapping[str, str] | None = None,
        after: str | None = None,
        until: str | None = None,
    ) -> Mapping[str, Sums]:
        await self._settle()
        self._projection.require_summed(fields, by, equal)
        where: list[Composable] = [SQL("{} = %s").format(field_of(field)) for field in equal or ()]
        values: list[object] = [*(equal or {}).values()]
        for condition, key in (("key > %s", after), ("key <= %s", until)):
            if key is not None:
                where.append(SQL(condition))
                values.append(key)
        columns = SQL(", ").join(
            [field_of(by), SQL("count(*)"), *(sum_of(field) for field in fields)]
        )
        rows = await self._rows(
            lambda table: SQL("SELECT {} FROM {} {} GROUP BY 1").format(
                columns, table, where_all(where)
            ),
            values,
        )
        return {
            value or "": Sums(count, dict(zip(fields, numbers, strict=True)))
            for value, count, *numbers in rows
        }

    def _matching(
        self, equal: Mapping[str, str], by: str | None, since: str | None, until: str | None
    ) -> tuple[list[Composable], list[object]]:
        """Conditions, and the values that they compare with."""
        self._projection.require_indexed({*equal, *filter(None, [by])})
        where: list[Composable] = [SQL("{} = %s").format(field_of(field)) for field in equal]
        values: list[object] = [*equal.values()]
        if by is not None:
            where.append(SQL("{} IS NOT NULL").format(field_of(by)))
        for condition, end in (("{} >= %s", since), ("{} <= %s", until)):
            if end is not None:
                where.append(SQL(condition).format(SQL("key") if by is None else field_of(by)))
                values.append(end)
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
        self,
        statement: Callable[[Identifier], Composed],
        values: Sequence[object],
        *,
        prepare: bool | None = None,
    ) -> Sequence[tuple[Any, ...]]:
        """What a question of the table with the views finds. ``prepare``: it comes often."""
        try:
            async with connected(self._pool) as connection:
                asked = statement(Identifier(self._name))
                found = await connection.execute(asked, values, prepare=prepare)
                return await found.fetchall()
        except UndefinedTable as error:
            if self._now is None:
                raise NotBuilt(f"{self._name} has no table yet: its runner makes it") from error
            self._read(await self._now())
            self._now = None
            return await self._rows(statement, values, prepare=prepare)

    def _seen(self, position: int, view: str) -> Seen[V]:
        return Seen(self._projection.view.model_validate_json(view), position)


_LOAD: Final = "SELECT key, position, (view || detail)::text FROM {table} WHERE key = ANY(%s)"

_LOAD_IF_LIVE: Final = """
SELECT key, position, (view || detail)::text
FROM projection_builds LEFT JOIN {table} ON key = ANY(%s)
WHERE build = {build} AND role = 'live'
"""
