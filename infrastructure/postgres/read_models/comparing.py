"""Two builds side by side, compared by the database: nothing but counts and examples comes here."""

from collections.abc import Sequence
from typing import Any, Final

from psycopg.sql import SQL, Composed, Identifier

from application.projections.builds import Build
from application.projections.comparing import EXAMPLES, Comparison, Difference
from infrastructure.postgres.connections import connected_for_long
from infrastructure.postgres.pools import Connection, Pool
from infrastructure.postgres.read_models.tables import is_ours


async def compare(pool: Pool, live: Build, build: Build) -> Comparison:
    """As the port; all in one snapshot."""
    async with connected_for_long(pool) as connection, connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        old, new = await _documents(connection, live), await _documents(connection, build)
        place = await _place(connection, [live, build])
        judged = SQL(_JUDGED).format(live=old, new=new)
        rows = await _rows(connection, SQL(_COUNTS).format(judged=judged), [place])
        counts: dict[str, int] = dict(rows)
        examples = SQL(_EXAMPLES).format(judged=judged)
        return Comparison(
            equal=counts.get("equal", 0),
            different=counts.get("different", 0),
            only_live=counts.get("only_live", 0),
            only_new=counts.get("only_new", 0),
            changing=counts.get("changing", 0),
            examples=[
                Difference(*row) for row in await _rows(connection, examples, [place, EXAMPLES])
            ]
            if counts.keys() - {"equal", "changing"}
            else (),
            gone=await _fields(connection, old, new),
            added=await _fields(connection, new, old),
        )


async def _documents(connection: Connection, build: Build) -> Composed:
    """The statement that finds its views; none, where no table has been made for them yet."""
    if await is_ours(connection, build.table):
        return SQL(_DOCUMENTS).format(Identifier(build.table))
    return SQL("{}").format(SQL(_NO_DOCUMENTS))


async def _place(connection: Connection, builds: Sequence[Build]) -> int:
    """The position up to which all shards of all these builds have come."""
    ((place,),) = await _rows(connection, SQL(_PLACE), [[build.table for build in builds]])
    return -1 if place is None else int(place)


async def _fields(connection: Connection, these: Composed, others: Composed) -> Sequence[str]:
    """Fields that these views have and the others have not, judged by one of each."""
    rows = await _rows(connection, SQL(_FIELDS).format(these=these, others=others), [])
    return [field for (field,) in rows]


async def _rows(
    connection: Connection, statement: SQL | Composed, values: Sequence[object]
) -> Sequence[tuple[Any, ...]]:
    return await (await connection.execute(statement, values)).fetchall()


_DOCUMENTS: Final = "SELECT key, position, view || detail AS document FROM {}"
_NO_DOCUMENTS: Final = "SELECT '' AS key, 0 AS position, '{}'::jsonb AS document WHERE false"

_PLACE: Final = """
SELECT min(coalesce(position, -1))
FROM projection_runners LEFT JOIN projection_checkpoints USING (build, shard)
WHERE build = ANY(%s)
"""

# Fields that only one of both has are taken off, but only where that can make a difference.
_JUDGED: Final = """
SELECT key, old.document AS live, new.document AS new, CASE
    WHEN greatest(old.position, new.position) > %s THEN 'changing'
    WHEN new.document IS NULL THEN 'only_live'
    WHEN old.document IS NULL THEN 'only_new'
    WHEN old.document = new.document THEN 'equal'
    WHEN old.document - ARRAY(
            SELECT jsonb_object_keys(old.document) EXCEPT SELECT jsonb_object_keys(new.document)
        ) = new.document - ARRAY(
            SELECT jsonb_object_keys(new.document) EXCEPT SELECT jsonb_object_keys(old.document)
        ) THEN 'equal'
    ELSE 'different'
END AS verdict
FROM ({live}) AS old FULL JOIN ({new}) AS new USING (key)
"""

_COUNTS: Final = "SELECT verdict, count(*) FROM ({judged}) AS judged GROUP BY verdict"

_EXAMPLES: Final = """
SELECT key, live, new FROM ({judged}) AS judged
WHERE verdict NOT IN ('equal', 'changing') ORDER BY key LIMIT %s
"""

_FIELDS: Final = """
SELECT field FROM (SELECT document FROM ({these}) AS these LIMIT 1) AS this,
    (SELECT document FROM ({others}) AS others LIMIT 1) AS other,
    jsonb_object_keys(this.document) AS field
WHERE NOT other.document ? field ORDER BY field COLLATE "C"
"""
